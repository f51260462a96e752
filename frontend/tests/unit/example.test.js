/** The client of docs/protocol.md, "Recovery", as printed: it ends with what the server has. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MESSAGE_EVENTS } from '@/events'
import { FakeChat, randomFrom, settle } from './fakeChat'
import { forEachSeed } from './seeds'

const SOURCE = readFileSync('../docs/protocol.md', 'utf8')
  .split(/^### In code$/m)[1]
  .match(/^```js\n(.*?)^```/ms)[1]

/** The documented client before a server. Its own functions stay as they are printed. */
function openClient(server) {
  const rest = (_method, path) => server.api.get(path, {})
  const failed = (_chatId, error) => expect(error.code).toBe('disconnected')
  const command = (type, fields, callback) => {
    const settled = server.websocket.request({ type, ...fields })
    settled.then(
      (ack) => callback({ ok: true, ...ack }),
      (error) => callback({ ok: false, error }),
    )
  }
  const define = new Function(
    'rest',
    'command',
    'failed',
    `${SOURCE}\nreturn { chats, open, join, onChange }`,
  )
  const client = define(rest, command, failed)
  for (const name of MESSAGE_EVENTS) server.websocket.on(name, (event) => client.onChange(name, event))
  return client
}

/** Runs everything that is under way to its end. */
async function flow(server) {
  for (let turn = 0; turn < 20; turn++) {
    server.pages.splice(0).forEach((page) => page.answer())
    await settle()
    server.work()
    while (server.deliver()) await settle()
    await settle()
  }
}

const shown = ({ chats }) => [...chats.get(7).messages.values()].sort((a, b) => a.seq - b.seq)

test('a reaction that comes while it joins does not hide an edit that was missed', async () => {
  const server = new FakeChat()
  const client = openClient(server)
  const id = server.write('as it was')
  server.connect()
  client.open(7)
  await flow(server)
  server.edit(id, 'edited')
  server.connection.outgoing.shift() // the edit is lost
  server.react(id, 2, '👍')
  server.react(id, 3, '👍')
  await flow(server)
  expect(shown(client)).toEqual([server.all.get(id)])
})

async function run(seed) {
  const random = randomFrom(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const server = new FakeChat()
  const client = openClient(server)
  const ids = [server.write('first'), server.write('second')]
  server.connect()
  client.open(7)
  await flow(server)
  const steps = {
    write: () => server.all.size < 8 && ids.push(server.write(`${random()}`)), // all are in one page
    edit: () => server.edit(pick(ids), `edited ${random()}`),
    delete: () => random() < 0.2 && server.delete(pick(ids)),
    react: () => server.react(pick(ids), pick([1, 2, 3]), pick(['👍', '🎉'])),
    pin: () => server.pin(pick(ids)),
    work: () => server.work(random),
    deliver: () => server.deliver(),
    page: () => server.pages.shift()?.answer(),
    lose: () => server.connection?.outgoing.length && random() < 0.3 && lose(),
    reconnect() {
      server.disconnect()
      server.connect()
      if (client.chats.get(7).state !== 'loading') client.join(7)
    },
  }
  /** Loses one event, as a proxy may do; answers are not lost without the connection. */
  function lose() {
    const at = server.connection.outgoing.findIndex(({ seq }) => seq !== undefined)
    if (at >= 0 && client.chats.get(7).state === 'live') server.connection.outgoing.splice(at, 1)
  }
  const names = Object.keys(steps).flatMap((name) =>
    Array(name === 'deliver' || name === 'work' ? 4 : 1).fill(name),
  )
  for (let step = 0; step < 80; step++) {
    steps[pick(names)]()
    await settle()
  }
  steps.reconnect()
  await flow(server)
  server.write('last') // what follows shows whether something was missed before
  await flow(server)
  expect(client.chats.get(7).state).toBe('live')
  expect(shown(client)).toEqual(server.visible())
}

test('it ends with what the server has, whatever was lost', () => forEachSeed(run), 600_000)
