/** Timeline, pins and outbox against a server that does everything at random moments: in the end all equal the server. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watch } from 'vue'
import { createOutbox } from '@/timeline/outbox'
import { createPins } from '@/timeline/pins'
import { createTimeline } from '@/timeline/timeline'
import { FakeChat, randomFrom, settle } from './fakeChat'
import { forEachSeed } from './seeds'

const STEPS = 120

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Holds at any time: the messages are in order, and none is there twice. */
function checkOrder({ state: { messages } }) {
  const inOrder = messages.every(({ seq }, index) => !index || seq > messages[index - 1].seq)
  const once = new Set(messages.map(({ id }) => id)).size === messages.length
  if (!inOrder || !once) expect(messages.map(({ id, seq }) => [id, seq])).toBe('in order, each once')
}

/** The server's messages between the ends of the client's window. */
function expected(server, { messages, hasBefore, hasAfter }) {
  const from = hasBefore ? messages[0].seq : 0
  const to = hasAfter ? messages.at(-1).seq : Infinity
  return server.visible().filter(({ seq }) => from <= seq && seq <= to)
}

async function run(seed) {
  const random = randomFrom(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const server = new FakeChat()
  for (let count = Math.floor(random() * 60); count > 0; count--) server.write(`old ${count}`)
  const arrivals = []
  const timeline = createTimeline(7, server)
  timeline.onArrival((message) => arrivals.push(message.id))
  const pins = createPins(7, { ...server, find: timeline.get, onUnknown: loadPins })
  let pinsWait = 0
  async function loadPins() {
    pinsWait++
    await pins.load().catch(() => setTimeout(loadPins, 1_000))
    pinsWait--
  }
  const stopPins = watch(
    () => timeline.state.status === 'live',
    (isLive) => isLive && loadPins(),
    { flush: 'sync' },
  )
  localStorage.clear()
  const outboxOptions = {
    userId: 1,
    websocket: server.websocket,
    storage: localStorage,
    onSent: timeline.put,
  }
  let outbox = createOutbox(outboxOptions)
  const written = []
  let entered = false
  server.websocket.on('connected', () => entered && timeline.follow())

  const steps = {
    write: () => server.write(`by another ${random()}`),
    edit: () => server.edit(pick([...server.all.keys()].slice(-30)), `edited ${random()}`),
    delete: () => server.delete(pick([...server.all.keys()].slice(-30))),
    react: () =>
      server.react(pick([...server.all.keys()].slice(-30)), pick([1, 2, 3]), pick(['👍', '❤', '🎉'])),
    pin: () => server.pin(pick([...server.all.keys()].slice(-30))),
    work: () => server.work(random),
    deliver: () => server.deliver(),
    page: () => server.pages.splice(Math.floor(random() * server.pages.length), 1)[0]?.answer(),
    read: () => pick(server.pages)?.read(),
    pageFails: () => server.pages.shift()?.fail(Object.assign(new Error('lost'), { code: 'network' })),
    connect: () => server.connection ?? server.connect(),
    disconnect: () => server.disconnect(),
    send() {
      written.push(`mine ${written.length}`)
      outbox.send(7, written.at(-1))
    },
    reload() {
      outbox.dispose()
      outbox = createOutbox(outboxOptions)
    },
    before: () => timeline.loadBefore(),
    after: () => timeline.loadAfter(),
    show: () => server.all.size && entered && timeline.show(pick([...server.all.keys()])),
    latest: () => entered && timeline.showLatest(),
    stay: () => timeline.stayAt(pick([null, ...timeline.state.messages])?.id ?? null),
    enter() {
      if (!entered) timeline.follow()
      entered = true
    },
    leave() {
      if (entered) server.websocket.send({ type: 'leave_chat', chat_id: 7 })
      entered = false
      timeline.leave()
    },
    wait: () => vi.advanceTimersByTimeAsync(random() * 3_000),
  }
  const weights = {
    deliver: 24,
    work: 18,
    write: 10,
    edit: 5,
    delete: 4,
    react: 6,
    pin: 2,
    page: 6,
    read: 6,
    enter: 3,
    connect: 4,
    before: 3,
    after: 3,
    send: 4,
  }
  const bag = Object.keys(steps).flatMap((name) => Array(weights[name] ?? 1).fill(name))
  const taken = []
  for (let step = 0; step < STEPS; step++) {
    const name = pick(bag)
    taken.push(name)
    steps[name]()
    await settle()
    checkOrder(timeline)
  }

  // Everything that is under way ends.
  steps.enter()
  steps.connect()
  const quiet = () =>
    timeline.state.status === 'live' && !pinsWait && !outbox.entries.some(({ state }) => state === 'sending')
  for (let round = 0; round < 60 && !(round && quiet()); round++) {
    while (server.pages.length) server.pages.shift().answer()
    for (let turn = 0; turn < 20; turn++) {
      server.work()
      while (server.deliver()) await settle()
    }
    await vi.advanceTimersByTimeAsync(2_000)
  }
  const { state } = timeline
  expect(state.status, taken.join(' ')).toBe('live')
  expect(state.messages, taken.join(' ')).toEqual(expected(server, state))
  const shownPins = (messages) => messages.map(({ id, content }) => [id, content])
  expect(shownPins(pins.state.messages), taken.join(' ')).toEqual(shownPins(server.pins()))
  expect(new Set(arrivals).size).toBe(arrivals.length)
  timeline.showLatest()
  server.pages.shift()?.answer()
  await settle()
  expect(state.messages.at(-1)).toEqual(server.visible().at(-1))

  // The own messages: each once, in the order of writing. Only messages that were deleted before their ack are refused.
  const stored = [...server.all.values()].filter((message) => message.client_id)
  expect(stored.map(({ first_content }) => first_content)).toEqual(written)
  for (const entry of outbox.entries) {
    expect(entry.state).toBe('failed')
    expect(stored.find((message) => message.client_id === entry.clientId).gone).toBe(true)
  }
  stopPins()
  pins.dispose()
  timeline.dispose()
  outbox.dispose()
}

test(
  'a client that loses its connection at any moment ends with what the server has',
  () => forEachSeed(run),
  600_000,
)
