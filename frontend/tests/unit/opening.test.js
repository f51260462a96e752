/** Where a chat with unread messages opens, and what counts as read then. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { alice, logIn, otherTab } from './fakeRest'
import { FakeServer } from './fakeServer'
import { openApp } from './app'

const MANY = 30
const ME = 1

let app, chats, server, chat, scope

beforeEach(async () => {
  app = await openApp()
  chats = (await import('@/stores/chats')).useChats()
  vi.useFakeTimers()
  server = new FakeServer(ME, () => 0.3)
  server.isReliable = true
  otherTab(() => logIn(1, { ...alice, id: ME }))
  chat = server.create()
})

afterEach(() => {
  scope?.stop()
  app.websocket.disconnect()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

async function pass(ms = 3_000) {
  await vi.advanceTimersByTimeAsync(ms)
  await nextTick()
}

async function connect() {
  app.websocket.connect('T')
  await pass(0)
  server.connect()
  await pass()
}

/** What ChatPane and MessageList do, without a layout. */
async function open() {
  const { useReading, markOf } = await import('@/composables/useReading')
  const { useChatWebSocket } = await import('@/composables/useWebSocket')
  const timeline = (await import('@/stores/timelines')).useTimelines().open(chat.id)
  const known = chats.get(chat.id)
  const isAtEnd = ref(false)
  scope = effectScope()
  const reading = scope.run(() => {
    if (known.unread_count > MANY)
      timeline.startAfter({
        messageId: known.last_read_message_id,
        seq: markOf(known, timeline) ?? undefined,
      })
    useChatWebSocket(chat.id, { join: timeline.follow })
    return useReading(chat.id, timeline, isAtEnd)
  })
  await pass(20_000)
  const began = reading.begin()
  await pass(20_000)
  await began
  // Without an unread line the list opens at its end.
  isAtEnd.value = !reading.firstUnread.value
  await pass()
  return { timeline, reading, isAtEnd }
}

function write(count, from) {
  for (let written = 0; written < count; written++) server.write(chat, from)
}

const reads = () => server.commands.filter(({ type }) => type === 'read_messages')
const unread = () => server.summary(chat).unread_count

describe.each([
  ['a server that sends marks by number', false],
  ['an older server', true],
])('%s', (_name, isOld) => {
  beforeEach(() => (server.isOld = isOld))

  test.each([10, 30, 31, 50, 51, 120, 1_100])(
    'never read, %i unread: at the first message',
    async (count) => {
      write(count)
      await connect()
      const { timeline, reading } = await open()
      expect(reading.firstUnread.value).toMatchObject({ content: 'm1' })
      expect(timeline.state.messages[0].content).toBe('m1')
      expect([reads(), unread()]).toEqual([[], count])
    },
  )

  test.each([10, 51, 300])('read up to a message, %i unread: after that message', async (count) => {
    write(40)
    server.read(chat, chat.messages.at(-1))
    write(count)
    await connect()
    const { reading } = await open()
    expect(reading.firstUnread.value).toMatchObject({ content: 'm41' })
    expect([reads(), unread()]).toEqual([[], count])
  })

  test('also if the message of the mark is deleted', async () => {
    write(60)
    server.read(chat, chat.messages.at(-1))
    server.remove(chat, chat.messages.at(-1))
    write(60)
    await connect()
    const { reading } = await open()
    expect(reading.firstUnread.value).toMatchObject({ content: 'm62' })
    expect(reads()).toEqual([])
  })

  test('also among many own messages', async () => {
    write(5)
    write(90, ME)
    write(5)
    await connect()
    const { reading } = await open()
    expect(reading.firstUnread.value).toMatchObject({ content: 'm1' })
    expect(reads()).toEqual([])
  })

  test('all read: at the end, and new messages are read', async () => {
    write(60)
    server.read(chat, chat.messages.at(-1))
    await connect()
    const { reading } = await open()
    expect(reading.firstUnread.value).toBeNull()
    write(1)
    await pass()
    expect([reads().length, unread()]).toEqual([1, 0])
  })

  test('reaching the end marks the chat as read', async () => {
    write(120)
    await connect()
    const { timeline, isAtEnd } = await open()
    for (let pages = 0; timeline.state.hasAfter; pages++) {
      expect(pages).toBeLessThan(9)
      const loading = timeline.loadAfter()
      await pass()
      await loading
    }
    expect(reads()).toEqual([])
    isAtEnd.value = true
    await pass()
    expect([reads().length, unread(), chats.get(chat.id).unread_count]).toEqual([1, 0, 0])
  })
})

test('reading on another device counts', async () => {
  write(120)
  await connect()
  const { reading } = await open()
  server.read(chat, chat.messages.at(-1))
  await pass()
  expect([chats.get(chat.id).unread_count, reads()]).toEqual([0, []])
  expect(reading.firstUnread.value).toMatchObject({ content: 'm1' }) // the line stays while the user reads
})

test('after too long a break at the end, the chat shows the first missed message', async () => {
  write(60)
  server.read(chat, chat.messages.at(-1))
  await connect()
  const { timeline } = await open()
  server.disconnect()
  write(120)
  await pass(1_000)
  server.connect()
  await pass(20_000)
  expect(timeline.state.messages[0].content).toBe('m61')
  expect(timeline.state.hasAfter).toBe(true)
  expect([reads(), unread()]).toEqual([[], 120])
})
