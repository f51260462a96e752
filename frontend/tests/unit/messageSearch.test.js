import { effectScope, ref } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openApp } from './app'
import { fail, fakeRest, later } from './fakeRest'
import { FakeSocket } from './fakeSocket'

let app, rest, scope, wanted, search

const all = (q, more = {}) => ({ q, chatId: null, fromId: null, has: null, ...more })
const message = (id, content, more = {}) => ({
  id,
  chat_id: 1,
  sender_id: 2,
  content,
  seq: id,
  changed_seq: id,
  created_at: '2025-11-23T10:00:00Z',
  ...more,
})
const page = (messages, next_cursor = null) => ({ messages, next_cursor })
const queries = () => rest.of('GET /messages/search').map(({ query }) => query)
const shown = () => search.items.value.map(({ content }) => content)

beforeEach(async () => {
  app = await openApp()
  await app.connect()
  rest = fakeRest({ 'GET /messages/search': page([]) })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const { useMessageSearch } = await import('@/composables/useMessageSearch')
  wanted = ref(null)
  scope = effectScope()
  search = scope.run(() => useMessageSearch(wanted))
})

afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  app.websocket.disconnect()
})

/** Lets time pass, and answers come. */
async function pass(ms = 300) {
  for (let rest = ms; rest > 0; rest -= 50) await vi.advanceTimersByTimeAsync(Math.min(rest, 50))
  for (let turn = 0; turn < 10; turn++) await vi.advanceTimersByTimeAsync(0)
}

function answer(route) {
  rest.routes['GET /messages/search'] = route
}

test('a word that is typed is one request', async () => {
  answer(page([message(1, 'soup')]))
  for (const q of ['s', 'so', 'sou', 'soup']) {
    wanted.value = all(q)
    await pass(100)
  }
  expect([queries(), search.state.value]).toEqual([[], 'searching'])
  await pass()
  expect(queries()).toEqual([{ q: 'soup', limit: '20' }])
  expect([shown(), search.state.value]).toEqual([['soup'], 'ready'])
})

test('however one types and scrolls, there are at most five requests a second', async () => {
  answer(page([message(1, 'a')], 'more'))
  for (let round = 0; round < 40; round++) {
    wanted.value = all('a', { fromId: round % 2 ? null : round })
    await pass(50)
    search.loadMore()
  }
  expect(queries().length).toBeLessThanOrEqual(10)
  expect(queries().length).toBeGreaterThan(0)
})

test('a page that the server ended before it found anything leads to the next one by itself', async () => {
  answer(({ query }) =>
    query.cursor === 'b' ? page([message(1, 'soup')]) : page([], query.cursor ? 'b' : 'a'),
  )
  wanted.value = all('soup')
  await pass(400)
  expect([shown(), search.state.value]).toEqual([[], 'searching'])
  await pass(1_000)
  expect([shown(), search.state.value, search.cursor.value]).toEqual([['soup'], 'ready', null])
  expect(queries().map(({ cursor }) => cursor)).toEqual([undefined, 'a', 'b'])
})

test('the filters are asked for', async () => {
  wanted.value = all('soup', { chatId: 3, fromId: 2, has: 'link' })
  await pass()
  wanted.value = all('', { has: 'file' })
  await pass()
  expect(queries()).toEqual([
    { q: 'soup', chat_id: '3', from: '2', has: 'link', limit: '20' },
    { has: 'file', limit: '20' },
  ])
})

test('an answer to an earlier query does not count', async () => {
  const slow = later()
  answer(({ query }) => (query.q === 'so' ? slow.promise : page([message(2, 'soup')])))
  wanted.value = all('so')
  await pass()
  wanted.value = all('soup')
  await pass()
  slow.resolve(page([message(1, 'sofa')]))
  await pass()
  expect(shown()).toEqual(['soup'])
})

test('what the next letter excludes goes at once, and another filter shows nothing until its answer', async () => {
  answer(page([message(1, 'sofa'), message(2, 'soup')]))
  wanted.value = all('so')
  await pass()
  wanted.value = all('sou')
  await pass(10)
  expect([shown(), search.state.value]).toEqual([['soup'], 'searching'])
  wanted.value = all('sou', { chatId: 1 })
  await pass(10)
  expect(shown()).toEqual([])
})

test('the pages follow one another', async () => {
  answer(({ query }) => (query.cursor ? page([message(1, 'soup 1')]) : page([message(2, 'soup 2')], 'next')))
  wanted.value = all('soup')
  await pass()
  expect(search.cursor.value).toBe('next')
  search.loadMore()
  await pass()
  search.loadMore()
  await pass()
  expect(shown()).toEqual(['soup 2', 'soup 1'])
  expect(queries().length).toBe(2)
})

test('what is deleted or edited away goes, also while its answer is under way', async () => {
  await vi.advanceTimersByTimeAsync(0)
  const slow = later()
  answer(() => slow.promise)
  wanted.value = all('soup')
  await pass()
  const deliver = async (frame) => {
    FakeSocket.last.deliver(frame)
    await pass(10)
  }
  const edited = (id, content) => ({
    type: 'message_updated',
    chat_id: 1,
    seq: 20 + id,
    message_id: id,
    content,
    message: message(id, content, { changed_seq: 20 + id }),
  })
  await deliver({ type: 'message_deleted', chat_id: 1, seq: 20, message_id: 1 })
  await deliver(edited(2, 'stew'))
  await deliver(edited(3, 'hot soup'))
  slow.resolve(page([5, 4, 3, 2, 1].map((id) => message(id, `soup ${id}`))))
  await pass()
  expect(shown()).toEqual(['soup 5', 'soup 4', 'hot soup'])
  await deliver(edited(5, 'stew'))
  await deliver({ type: 'message_deleted', chat_id: 1, seq: 30, message_id: 4 })
  expect(shown()).toEqual(['hot soup'])
  await deliver({ type: 'chat_removed', chat_id: 1, reason: 'removed' })
  expect(shown()).toEqual([])
})

test('a search that comes too soon is repeated when the server says', async () => {
  answer(fail(429, 'rate_limited', { retry_after_ms: 2_000 }))
  wanted.value = all('soup')
  await pass()
  expect([search.state.value, search.failure.value.code]).toEqual(['waiting', 'rate_limited'])
  answer(page([message(1, 'soup')]))
  await pass(1_500)
  expect(shown()).toEqual([])
  await pass(1_000)
  expect([shown(), search.state.value, search.failure.value]).toEqual([['soup'], 'ready', null])
})

test('while the server indexes messages it is asked again', async () => {
  const { isIndexing } = await import('@/composables/useMessageSearch')
  answer(fail(503, 'unavailable', { message: 'older messages are being indexed, 37 % are done' }))
  wanted.value = all('soup')
  await pass()
  expect([search.state.value, isIndexing(search.failure.value)]).toEqual(['waiting', true])
  answer(page([message(1, 'soup')]))
  await pass(5_500)
  expect(shown()).toEqual(['soup'])
})

test('another failure waits for the user, or for a new connection', async () => {
  answer(fail(503, 'unavailable'))
  wanted.value = all('soup')
  await pass(10_000)
  expect([search.state.value, queries().length]).toEqual(['failed', 1])
  search.retry()
  await pass()
  expect([search.state.value, queries().length]).toEqual(['failed', 2])
  answer(page([message(1, 'soup')]))
  FakeSocket.last.accept(1)
  await pass()
  expect(shown()).toEqual(['soup'])
})

test('nothing is requested without a wish, nor after the end', async () => {
  await pass()
  wanted.value = all('soup')
  await pass(10)
  scope.stop()
  await pass()
  expect(queries()).toEqual([])
})

test('the names of files count when the next letter excludes messages', async () => {
  const attachments = [{ id: 'x', name: 'soup.pdf', content_type: 'application/pdf', size: 1, url: '/' }]
  answer(page([message(1, 'dinner', { attachments }), message(2, 'sour soup')]))
  wanted.value = all('sou')
  await pass()
  answer(() => later().promise)
  wanted.value = all('soup')
  await pass()
  expect(shown()).toEqual(['dinner', 'sour soup'])
  wanted.value = all('sour')
  await pass()
  expect(shown()).toEqual(['sour soup'])
})
