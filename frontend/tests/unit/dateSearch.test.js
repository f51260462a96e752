/** The search for the first message of a day, in a chat with three messages a day. */

import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createDateSearch } from '@/timeline/dates'

const DAY_MS = 86_400_000
const START = Date.UTC(2025, 0, 1)
const PAGE = 200

/** The time of a day of the chat. @param {number} day */
const dayAt = (day) => START + day * DAY_MS
const whole = (id) => ({
  id,
  seq: id,
  created_at: new Date(dayAt(Math.floor((id - 1) / 3)) + 1000).toISOString(),
})

let all, api, timeline, options

beforeEach(() => chat(3_000))

function chat(count, without = () => false) {
  all = Array.from({ length: count }, (_, index) => whole(index + 1)).filter((one) => !without(one))
  api = {
    get: vi.fn(async (_path, { before, after, around, limit }) => {
      const end = all.findIndex(({ id }) => id >= (before ?? Infinity))
      if (around) return { messages: all.filter(({ id }) => id === around) }
      const start = after
        ? all.findIndex(({ id }) => id > after)
        : Math.max((end < 0 ? all.length : end) - limit, 0)
      const messages = start < 0 ? [] : all.slice(start, after ? start + limit : end < 0 ? undefined : end)
      const [first, last] = [messages[0], messages.at(-1)]
      return {
        messages,
        has_more_before: Boolean(first && first !== all[0]),
        has_more_after: Boolean(last && last !== all.at(-1)),
      }
    }),
  }
  options = { isWanted: () => true, onProgress: vi.fn() }
  load(-50)
}

/** Loads a part of the chat into the timeline. */
function load(from, to = undefined) {
  const messages = all.slice(from, to)
  const state = { messages, hasBefore: messages[0] !== all[0], hasAfter: messages.at(-1) !== all.at(-1) }
  timeline = { state }
}

const search = () => createDateSearch({ chatId: 7, api, timeline })
const requests = () => api.get.mock.calls.length

test('what is loaded is found without a request', async () => {
  expect((await search().find(dayAt(995), options)).message?.id).toBe(995 * 3 + 1)
  expect(requests()).toBe(0)
})

describe('what is not loaded is found page by page', () => {
  test.each([
    ['in the middle', 500, 501 * 3 - 2],
    ['the first day', 0, 1],
    ['before the first day', -10, 1],
    ['at the border of a page', 930, 930 * 3 + 1],
  ])('%s', async (_where, day, id) => {
    expect(await search().find(dayAt(day), options)).toMatchObject({ message: { id }, reached: null })
    expect(requests()).toBeLessThanOrEqual(3_000 / PAGE + 2)
  })

  test.each([3, 200, 777, 950, 999])('day %i, forwards from the oldest messages', async (day) => {
    load(0, 50)
    expect((await search().find(dayAt(day), options)).message?.id).toBe(day * 3 + 1)
  })
})

test('a day on which nothing was written leads to the next message, and one after the last to the last', async () => {
  chat(3_000, ({ id }) => id > 1_500 && id <= 1_503)
  expect((await search().find(dayAt(500), options)).message?.id).toBe(1_504)
  expect((await search().find(dayAt(2_000), options)).message?.id).toBe(3_000)
  load(0, 50)
  expect((await search().find(dayAt(2_000), options)).message?.id).toBe(3_000)
})

test('a second search begins where an earlier one has been', async () => {
  const { find } = search()
  await find(dayAt(100), options)
  const before = requests()
  expect((await find(dayAt(110), options)).message?.id).toBe(331)
  expect(requests() - before).toBeLessThanOrEqual(2)
})

test('a long way is stopped, and the next search goes on from there', async () => {
  chat(30_000)
  const { find } = search()
  const { message, reached } = await find(dayAt(10), options)
  expect(message).toBeNull()
  expect(reached).toBeGreaterThan(dayAt(10))
  expect(options.onProgress).toHaveBeenCalledTimes(100)
  expect((await find(dayAt(10), options)).message?.id).toBe(31)
})

test('a search that nobody wants any more ends', async () => {
  let asked = 0
  options.isWanted = () => ++asked < 3
  expect(await search().find(dayAt(5), options)).toMatchObject({ message: null })
  expect(requests()).toBe(3)
})

test('a chat without messages has no day', async () => {
  chat(0)
  expect(await search().find(dayAt(5), options)).toEqual({ message: null, reached: null })
})
