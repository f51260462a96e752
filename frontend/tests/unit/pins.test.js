/** The pins, case by case. recovery.test.js combines the cases at random. */

import { beforeEach, expect, test, vi } from 'vitest'
import { createPins } from '@/timeline/pins'
import { later } from './fakeRest'

let callbacks, answers, loaded, onUnknown, pins

beforeEach(() => {
  callbacks = new Map()
  answers = []
  loaded = new Map()
  onUnknown = vi.fn()
  const on = (type, callback) => {
    callbacks.set(type, callback)
    return () => callbacks.delete(type)
  }
  const get = vi.fn(async () => (await answers.shift()) ?? { messages: [], next_cursor: null })
  pins = createPins(1, { api: { get }, websocket: { on }, find: (id) => loaded.get(id), onUnknown })
  for (const id of [1, 2, 3]) loaded.set(id, message(id))
})

const message = (id, more = {}) => ({
  id,
  chat_id: 1,
  seq: id,
  changed_seq: id,
  content: `m${id}`,
  pinned: false,
  ...more,
})
const pinned = (id, changed_seq, more) => message(id, { pinned: true, changed_seq, ...more })
const page = (...messages) => ({ messages, next_cursor: null })
const shown = () => pins.state.messages.map(({ content }) => content)

function deliver(type, message_id, seq, more = {}) {
  const known = loaded.get(message_id)
  if (known && type.endsWith('pinned'))
    loaded.set(message_id, { ...known, pinned: type === 'message_pinned', changed_seq: seq })
  callbacks.get(type)({ type, chat_id: 1, message_id, seq, ...more })
}

test('are loaded over all pages, the last one pinned first', async () => {
  answers.push({ messages: [pinned(2, 12)], next_cursor: '12' }, page(pinned(1, 11)))
  await pins.load()
  expect(shown()).toEqual(['m2', 'm1'])
})

test('follow the events of the chat', async () => {
  answers.push(page(pinned(2, 12), pinned(1, 11)))
  await pins.load()
  deliver('message_pinned', 3, 13)
  expect(shown()).toEqual(['m3', 'm2', 'm1'])
  deliver('message_updated', 2, 14, { message: pinned(2, 14, { content: 'edited' }) })
  expect(shown()).toEqual(['m3', 'edited', 'm1'])
  deliver('message_unpinned', 3, 15)
  deliver('message_deleted', 2, 16)
  expect(shown()).toEqual(['m1'])
  deliver('message_pinned', 3, 17, { chat_id: 2 })
  expect(shown()).toEqual(['m1'])
  expect(onUnknown).not.toHaveBeenCalled()
})

test('follow what a replay says of whole messages', async () => {
  answers.push(page(pinned(1, 11)))
  await pins.load()
  deliver('message_updated', 2, 12, { message: pinned(2, 12) })
  deliver('message_updated', 1, 13, { message: message(1, { changed_seq: 13 }) })
  deliver('message_updated', 3, 14, { message: message(3, { changed_seq: 14 }) })
  expect(shown()).toEqual(['m2'])
})

test('are loaded again when a message is pinned that is not loaded', async () => {
  await pins.load()
  deliver('message_pinned', 50, 51)
  expect(onUnknown).toHaveBeenCalledOnce()
})

test('that came while the answer was under way count too, each once', async () => {
  const answer = later()
  answers.push(answer.promise)
  const loading = pins.load()
  deliver('message_pinned', 1, 11) // the answer has it
  deliver('message_pinned', 2, 12) // the answer has it no more
  deliver('message_unpinned', 2, 13)
  deliver('message_pinned', 3, 14) // the answer does not have it yet
  answer.resolve(page(pinned(1, 11)))
  await loading
  expect(shown()).toEqual(['m3', 'm1'])
})

test('of an earlier request do not count after those of a later one', async () => {
  const [first, second] = [later(), later()]
  answers.push(first.promise, second.promise)
  const loading = [pins.load(), pins.load()]
  second.resolve(page(pinned(2, 12)))
  await loading[1]
  first.resolve(page(pinned(1, 11)))
  await loading[0]
  expect(shown()).toEqual(['m2'])
})

test('stay when they cannot be loaded again', async () => {
  answers.push(page(pinned(1, 11)), Promise.reject(new Error('network')))
  await pins.load()
  await expect(pins.load()).rejects.toThrow('network')
  expect(shown()).toEqual(['m1'])
  deliver('message_pinned', 2, 12)
  expect(shown()).toEqual(['m2', 'm1'])
})
