import { reactive } from 'vue'
import { beforeEach, expect, test } from 'vitest'
import { usePictures } from '@/files/usePictures'
import { settle } from './fakeChat'

let state, pages, requests, timeline

const picture = (id) => ({ id, content_type: 'image/png', width: 1, height: 1, name: id })
const message = (seq, ...attachments) => ({ id: seq, seq, attachments })

/** A history of which the messages between two indexes are loaded; pages have ten messages. */
function history(messages, from, to) {
  let [start, end] = [from, to]
  const publish = () => {
    state.messages = messages.slice(start, end)
    state.hasBefore = start > 0
    state.hasAfter = end < messages.length
  }
  state = reactive({ messages: [], hasBefore: false, hasAfter: false, loading: null, error: null })
  publish()
  requests = []
  pages = { before: () => (start = Math.max(0, start - 10)), after: () => (end += 10) }
  const load = (side) => async (size) => {
    requests.push({ side, ...size })
    await settle()
    pages[side]()
    publish()
  }
  timeline = { state, loadBefore: load('before'), loadAfter: load('after') }
}

const texts = (from, count) => Array.from({ length: count }, (_, index) => message(from + index))

beforeEach(() => history([message(1, picture('a'), picture('b')), message(2, picture('c'))], 0, 2))

test('leads through the loaded pictures and stops at the ends of the chat', async () => {
  const { current, index, isWhole, mayTurn, show, turn } = usePictures(timeline, 'b')
  expect([current.value.attachment.id, index.value, isWhole.value]).toEqual(['b', 1, true])
  turn(1)
  expect([current.value.attachment.id, mayTurn(1), mayTurn(-1)]).toEqual(['c', false, true])
  turn(1)
  show(-5)
  expect([current.value.attachment.id, mayTurn(-1)]).toEqual(['a', false])
  await settle()
  expect(requests).toEqual([])
})

test('loads messages ahead until there is another picture on each side', async () => {
  history([message(1, picture('a')), ...texts(2, 25), message(27, picture('b')), ...texts(28, 15)], 26, 27)
  const { current, isWhole, mayTurn, turn } = usePictures(timeline, 'b')
  expect([isWhole.value, mayTurn(-1), mayTurn(1)]).toEqual([false, true, true])
  turn(1) // the user does not wait for the older ones
  await settle()
  await settle()
  await settle()
  turn(-1)
  for (let count = 0; count < 12; count++) await settle()
  expect(current.value.attachment.id).toBe('a')
  expect(mayTurn(-1)).toBe(false)
  expect(requests.every(({ limit }) => limit === 200)).toBe(true)
})

test('gives up after some pages without a picture, until the user wants it again', async () => {
  history([message(1, picture('a')), ...texts(2, 150), message(152, picture('b'))], 151, 152)
  const { current, mayTurn, turn, wanted } = usePictures(timeline, 'b')
  for (let count = 0; count < 30; count++) await settle()
  expect(requests).toHaveLength(10)
  expect(mayTurn(-1)).toBe(true)
  turn(-1)
  expect(wanted.value).toBe(-1)
  for (let count = 0; count < 30; count++) await settle()
  expect([current.value.attachment.id, wanted.value]).toEqual(['a', 0])
})

test('waits for a page that the chat is loading, and stops at a failure', async () => {
  history([message(1, picture('a')), ...texts(2, 25), message(27, picture('b'))], 26, 27)
  state.loading = 'before'
  usePictures(timeline, 'b')
  await settle()
  expect(requests).toEqual([])
  pages.before = () => (state.error = { code: 'network' })
  state.loading = null
  for (let count = 0; count < 10; count++) await settle()
  expect(requests).toHaveLength(1)
})
