/** The timeline, case by case. recovery.test.js combines the cases at random. */

import { beforeEach, expect, test, vi } from 'vitest'
import { createTimeline } from '@/timeline/timeline'
import { FakeChat, settle } from './fakeChat'

let server, timeline, arrivals

beforeEach(() => {
  server = new FakeChat()
  arrivals = []
  timeline = createTimeline(7, server)
  timeline.onArrival((message, how) => arrivals.push([message.content, how.missed]))
})

function write(count, from = 1) {
  return Array.from({ length: count }, (_, index) => server.write(`m${from + index}`))
}

const shown = () => timeline.state.messages.map(({ content }) => content)

/** Runs everything that is under way to its end. */
async function flow() {
  for (let turn = 0; turn < 10; turn++) {
    server.pages.splice(0).forEach((page) => page.answer())
    await settle()
    server.work()
    while (server.deliver()) await settle()
    await settle()
  }
}

async function live() {
  server.connect()
  timeline.follow()
  await flow()
  expect(timeline.state.status).toBe('live')
}

test('has the newest page, and what comes after it', async () => {
  write(10)
  await live()
  expect(timeline.state).toMatchObject({ loaded: true, hasBefore: true, hasAfter: false, error: null })
  server.write('m11')
  await flow()
  expect(shown()).toEqual(['m3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11'])
  expect(arrivals).toEqual([['m11', false]])
})

test('is loaded without a connection, and joined once there is one', async () => {
  write(2)
  timeline.follow()
  await flow()
  expect(shown()).toEqual(['m1', 'm2'])
  expect(timeline.state).toMatchObject({ status: 'idle', error: null })
  await live()
})

test('asks once for the first page when the connection opens meanwhile, and again when the request may hang', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  write(2)
  timeline.follow()
  server.connect()
  timeline.follow()
  expect(server.pages).toHaveLength(1)
  vi.advanceTimersByTime(1000)
  timeline.follow()
  expect(server.pages).toHaveLength(2)
  vi.useRealTimers()
  await flow()
  expect(timeline.state).toMatchObject({ status: 'live', error: null })
  expect(shown()).toEqual(['m1', 'm2'])
})

test('a chat that is left and opened again asks again for its first page', async () => {
  write(2)
  server.connect()
  timeline.follow()
  timeline.leave()
  timeline.follow()
  await flow()
  expect(timeline.state).toMatchObject({ status: 'live', error: null })
  expect(shown()).toEqual(['m1', 'm2'])
})

test('after a lost connection catches up with new, edited and deleted messages', async () => {
  const ids = write(4)
  await live()
  server.disconnect()
  server.edit(ids[1], 'm2 edited')
  server.delete(ids[2])
  write(2, 5)
  await live()
  expect(shown()).toEqual(['m1', 'm2 edited', 'm4', 'm5', 'm6'])
  expect(arrivals).toEqual([
    ['m5', true],
    ['m6', true],
  ])
  expect(server.requests.size).toBe(0)
})

test('after too long a break loads anew where the reader is', async () => {
  const ids = write(20)
  await live()
  server.disconnect()
  timeline.stayAt(ids[4])
  write(30, 21)
  await live()
  expect(shown()).toContain('m5')
  expect(timeline.state).toMatchObject({ hasBefore: false, hasAfter: true })
})

test('grows upwards and downwards by pages', async () => {
  const ids = write(40)
  await live()
  await Promise.all([timeline.show(ids[19]), flow()])
  expect(shown()).toContain('m20')
  const first = timeline.state.messages[0].seq
  await Promise.all([timeline.loadBefore(), flow()])
  expect(timeline.state.messages[0].seq).toBe(first - 8)
  while (timeline.state.hasAfter) await Promise.all([timeline.loadAfter(), flow()])
  expect(shown().at(-1)).toBe('m40')
  server.write('m41')
  await flow()
  expect(shown().at(-1)).toBe('m41')
})

test('leaves out messages after its end, but calls back once for each', async () => {
  const ids = write(40)
  await live()
  await Promise.all([timeline.show(ids[5]), flow()])
  server.write('m41')
  await flow()
  expect(shown()).not.toContain('m41')
  await Promise.all([timeline.showLatest(), flow()])
  expect(shown().at(-1)).toBe('m41')
  expect(arrivals).toEqual([['m41', false]])
})

test('an older page does not undo a change', async () => {
  const ids = write(20)
  await live()
  const loading = timeline.loadBefore()
  server.pages[0].read()
  server.edit(ids[10], 'edited')
  server.delete(ids[9])
  await flow()
  await loading
  expect(shown()).toContain('edited')
  expect(shown()).not.toContain('m10')
})

test('a late ack does not bring back a deleted message', async () => {
  await live()
  const id = server.write('mine', { sender_id: 1 })
  const acked = server.all.get(id)
  server.delete(id)
  await flow()
  timeline.put(acked)
  expect(shown()).toEqual([])
})

test('a failed load is retried', async () => {
  vi.useFakeTimers()
  write(1)
  server.connect()
  timeline.follow()
  server.pages.shift().fail(Object.assign(new Error('lost'), { code: 'network' }))
  await settle()
  expect(timeline.state.error.code).toBe('network')
  await vi.advanceTimersByTimeAsync(1_000)
  vi.useRealTimers()
  await flow()
  expect(timeline.state).toMatchObject({ status: 'live', error: null })
})

test('is gone when the chat is', async () => {
  server.connect()
  timeline.follow()
  server.pages.shift().fail(Object.assign(new Error('gone'), { code: 'not_found' }))
  await settle()
  expect(timeline.state.status).toBe('gone')
  expect(server.pages).toEqual([])
})

test('keeps the newest messages when it is left, and goes on from there', async () => {
  write(5)
  await live()
  timeline.leave()
  server.websocket.send({ type: 'leave_chat', chat_id: 7 })
  write(1, 6)
  await flow()
  expect(shown().at(-1)).toBe('m5')
  timeline.follow()
  await flow()
  expect(shown()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6'])
  expect(timeline.state.status).toBe('live')
})

test('reactions and pins change a part of a message, each once', async () => {
  const [id, other] = write(2)
  await live()
  server.react(id, 2, '👍')
  server.react(id, 3, '👍')
  server.react(id, 3, '❤')
  server.react(id, 2, '👍')
  server.pin(other)
  await flow()
  const stored = () => [server.all.get(id), server.all.get(other)]
  expect(timeline.state.messages).toEqual(stored())
  expect(timeline.get(id).reactions).toEqual({ '👍': [3], '❤': [3] })
  expect(timeline.get(other).pinned).toBe(true)
  // An ack has the whole message, and the event comes after it.
  server.react(id, 3, '👍')
  server.pin(other)
  stored().forEach(timeline.put)
  await flow()
  expect(timeline.state.messages).toEqual(stored())
  expect(timeline.get(id).reactions).toEqual({ '❤': [3] })
  expect(timeline.get(other).pinned).toBe(false)
  expect(timeline.position).toBe(server.head)
})

test('a reaction to a message that is not loaded changes no message, and is not missed later', async () => {
  const [old] = write(20)
  await live()
  const before = shown()
  server.react(old, 3, '👍')
  server.pin(old)
  await flow()
  expect(shown()).toEqual(before)
  expect(timeline.position).toBe(server.head)
  await Promise.all([timeline.show(old), flow()])
  expect(timeline.get(old)).toEqual(server.all.get(old))
})

test('after a lost reaction it catches up, and gets the whole message', async () => {
  const [id, other] = write(2)
  await live()
  server.react(id, 3, '👍')
  server.pin(id)
  server.connection.outgoing.shift() // the reaction is lost
  server.react(other, 3, '❤')
  await flow()
  expect(timeline.state.messages).toEqual([server.all.get(id), server.all.get(other)])
  expect(timeline.position).toBe(server.head)
  // After a break there are no events of parts, but whole messages.
  server.disconnect()
  server.react(id, 3, '👍')
  server.react(id, 2, '❤')
  server.pin(id)
  server.delete(other)
  await live()
  expect(timeline.state.messages).toEqual([server.all.get(id)])
  expect(timeline.get(id)).toMatchObject({ reactions: { '❤': [2] }, pinned: false })
})

test('an event that comes again, or with a page that has it, changes nothing', async () => {
  const [id] = write(1)
  await live()
  server.react(id, 2, '👍')
  const event = server.connection.outgoing[0]
  await flow()
  server.call(event)
  expect(timeline.get(id).reactions).toEqual({ '👍': [2] })
  const loading = timeline.show(id)
  server.react(id, 3, '👍')
  await Promise.all([loading, flow()])
  server.call({ ...event, user_id: 3 })
  expect(timeline.get(id).reactions).toEqual({ '👍': [2, 3] })
})

test('a link to a message that the chat does not have shows what was shown, without an error', async () => {
  write(3)
  await live()
  const before = shown()
  await Promise.all([timeline.show(999_999), flow()])
  expect(shown()).toEqual(before)
  expect(timeline.state).toMatchObject({ error: null, loading: null, status: 'live' })
})

test('a reaction that comes while it joins does not hide an edit that was missed', async () => {
  const [id] = write(1)
  await live()
  server.edit(id, 'edited')
  server.connection.outgoing.shift() // the edit is lost
  server.react(id, 2, '👍')
  server.react(id, 3, '👍')
  await flow()
  expect(timeline.state.messages).toEqual([server.all.get(id)])
  expect(shown()).toEqual(['edited'])
})
