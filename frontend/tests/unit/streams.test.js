import { effectScope } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rowsOf, streamKey } from '@/timeline/rows'
import { openApp, settled } from './app'

const SHOWN_MS = 16_000
const BOT = 9

let app
let scope
let followed
let mayFold

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
  app = await openApp()
  await app.connect()
  const { useStreams } = await import('@/composables/useStreams')
  mayFold = (await import('@/composables/useUnfolded')).mayFold
  scope = effectScope()
  followed = scope.run(() => useStreams(7))
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

const stream = (content, more = {}) =>
  app.deliver({
    type: 'message_stream',
    chat_id: 7,
    user_id: BOT,
    stream_id: 'a',
    content,
    timestamp: '2025-11-23T12:00:00+00:00',
    ...more,
  })
const message = (more = {}) => ({
  id: 100,
  seq: 1,
  changed_seq: 1,
  chat_id: 7,
  content: 'It is a fox.',
  sender_id: BOT,
  created_at: '2025-11-23T12:00:05+00:00',
  reply_to: null,
  client_id: 'a',
  ...more,
})
const contents = () => [...followed.streams.values()].map(({ content }) => content)
const rows = (messages, options = {}) =>
  rowsOf(messages, { entries: [], ownId: 1, unreadFrom: null, ...followed, ...options }).filter(
    ({ kind }) => kind === 'message',
  )

test('a stream grows until its end', async () => {
  await stream('')
  await stream('It is')
  await stream('of another chat', { chat_id: 8 })
  expect(contents()).toEqual(['It is'])
  await stream('another', { stream_id: 'b' })
  await stream(null)
  expect(contents()).toEqual(['another'])
  await stream(null)
  expect(contents()).toEqual(['another'])
})

test('it is let go of 16 s after its last word', async () => {
  await stream('It')
  await vi.advanceTimersByTimeAsync(SHOWN_MS - 1_000)
  await stream('It is')
  await vi.advanceTimersByTimeAsync(SHOWN_MS - 1_000)
  expect(contents()).toEqual(['It is'])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(contents()).toEqual([])
})

test('its message takes its place, and is not folded', async () => {
  await stream('It is')
  await app.deliver({ type: 'new_message', chat_id: 7, seq: 1, message: message({ client_id: 'b', id: 90 }) })
  await app.deliver({ type: 'new_message', chat_id: 7, seq: 2, message: message({ sender_id: 2, id: 91 }) })
  expect(contents()).toEqual(['It is'])
  const [before] = rows([])
  await app.deliver({ type: 'new_message', chat_id: 7, seq: 3, message: message() })
  await settled()
  expect(contents()).toEqual([])
  const [after] = rows([message()])
  expect(after.key).toBe(before.key)
  expect([before.isStream, after.isStream]).toEqual([true, false])
  expect([90, 91, 100].map(mayFold)).toEqual([true, true, false])
})

test('streams are at the end, below what the user is sending', async () => {
  await stream('It is')
  const entry = { clientId: 'x', chatId: 7, content: 'mine', replyTo: null, writtenAt: 0, state: 'sending' }
  const shown = rows([message({ id: 1, client_id: undefined, content: 'before' })], { entries: [entry] })
  expect(shown.map((row) => row.message.content)).toEqual(['before', 'mine', 'It is'])
  expect(shown.at(-1)).toMatchObject({ isStream: true, isMine: false, message: { id: 0, sender_id: BOT } })
})

test('a stream whose message is there is not shown again', async () => {
  await stream('It is')
  expect(rows([message()]).map(({ isStream }) => isStream)).toEqual([false])
  expect(rows([message({ sender_id: 2 })]).map(({ isStream }) => isStream)).toEqual([false, true])
})

test('an own stream, of another device, becomes an own message', async () => {
  await stream('It is', { user_id: 1 })
  const [before] = rows([])
  const [after] = rows([message({ sender_id: 1 })])
  expect([before.isMine, after.isMine, after.key]).toEqual([true, true, before.key])
})

test('a stream does not begin the unread messages', async () => {
  await stream('It is')
  const kinds = rowsOf([], { entries: [], ownId: 1, unreadFrom: 1, ...followed }).map(({ kind }) => kind)
  expect(kinds).toEqual(['day', 'message'])
})

test('the same name of two users is two streams', async () => {
  await stream('one')
  await stream('two', { user_id: 3 })
  expect([...followed.streams.keys()]).toEqual([streamKey(BOT, 'a'), streamKey(3, 'a')])
})
