/** Makes the types that tsc has written for packages/vestnik-client complete: they name each other by the client's alias. */

import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const TYPES = fileURLToPath(new URL('../packages/vestnik-client/dist/types', import.meta.url))
const CLIENT = join(TYPES, 'frontend/src')
const INDEX = join(TYPES, 'packages/vestnik-client/src/index.d.ts')

copyFileSync(new URL('./src/types.d.ts', import.meta.url), join(CLIENT, 'types.d.ts'))
for (const name of readdirSync(TYPES, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue
  const file = join(TYPES, name)
  const client = relative(dirname(file), CLIENT)
  const prefix = client.startsWith('.') ? client : `./${client}`
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(["'])@\//g, `$1${prefix}/`))
}
writeFileSync(
  INDEX,
  `${readFileSync(INDEX, 'utf8')}export type * from '${relative(dirname(INDEX), CLIENT)}/types'\n`,
)
