// The WebSocket service of the web client under Node. Reads orders and writes what the service reports, as JSON lines.
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')
const target = new EventTarget()
globalThis.WebSocket = WebSocket
globalThis.window = target
globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
console.log = (...args) => say({ log: args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg))) })

const { createWebSocket } = await import('../../frontend/src/services/websocket.js')
const [url, ...tokens] = process.argv.slice(2)
const websocket = createWebSocket({ url })
websocket.onState((state) => say({ state }))
websocket.on('*', (frame) => say({ frame }))

// Gives the next token each time the service asks for a fresh one.
websocket.connect(({ fresh }) => (fresh && tokens.length > 1 ? tokens.splice(0, 1) && tokens[0] : tokens[0]))

for await (const line of createInterface({ input: process.stdin })) {
  const { send, request } = JSON.parse(line)
  if (send) say({ sent: websocket.send(send) })
  if (request) {
    websocket.request(request).then(
      (ack) => say({ ack }),
      ({ code, retryable }) => say({ error: { code, retryable } }),
    )
  }
}
websocket.disconnect()
