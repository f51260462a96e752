import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const NAMES = ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js']

/**
 * Puts the client of Socket.IO into the build, from where the server serves it as `/socket.io/socket.io.js`: pages of others
 * need no other origin for it. The web client itself does not use it.
 *
 * @returns {import('vite').Plugin}
 */
export function socketioClient() {
  const package_ = createRequire(import.meta.url).resolve('socket.io-client/package.json')
  return {
    name: 'socketio-client',
    apply: 'build',
    generateBundle() {
      for (const name of NAMES.flatMap((name) => [name, `${name}.map`])) {
        const source = readFileSync(join(dirname(package_), 'dist', name))
        this.emitFile({ type: 'asset', fileName: `socket.io/${name}`, source })
      }
    },
  }
}
