import { effectScope, nextTick, ref } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { usePages } from '@/composables/usePages'
import { ApiError } from '@/services/http'

let scope, calls, query, pages

beforeEach(() => {
  vi.useFakeTimers()
  calls = []
  query = ref('')
  scope = effectScope()
  pages = scope.run(() =>
    usePages((page) => new Promise((resolve, reject) => calls.push({ ...page, resolve, reject })), query),
  )
})

afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

async function answer(call, items, next_cursor = null) {
  call.resolve({ items, next_cursor })
  await vi.advanceTimersByTimeAsync(0)
}

async function ask(q) {
  query.value = q
  await nextTick()
  await vi.advanceTimersByTimeAsync(200)
}

test('the pages follow one another', async () => {
  await answer(calls[0], ['a', 'b'], 'after b')
  expect([pages.items.value, pages.state.value]).toEqual([['a', 'b'], 'ready'])
  pages.loadMore()
  expect(calls[1].cursor).toBe('after b')
  await answer(calls[1], ['c'])
  expect([pages.items.value, pages.cursor.value]).toEqual([['a', 'b', 'c'], null])
})

test('an answer to an older query does not count', async () => {
  await answer(calls[0], ['a'], 'after a')
  await ask('b')
  await ask('be')
  await answer(calls[2], ['bert'])
  await answer(calls[1], ['bob', 'bert'])
  expect([pages.items.value, pages.cursor.value, calls[2].cursor]).toEqual([['bert'], null, null])
})

test('a page that has failed is loaded again, and nothing before it', async () => {
  await answer(calls[0], ['a'], 'after a')
  pages.loadMore()
  calls[1].reject(new ApiError({ status: 0, code: 'network' }))
  await vi.advanceTimersByTimeAsync(0)
  expect([pages.items.value, pages.state.value]).toEqual([['a'], 'failed'])
  pages.retry()
  expect(calls[2].cursor).toBe('after a')
  await answer(calls[2], ['b'])
  expect([pages.items.value, pages.state.value]).toEqual([['a', 'b'], 'ready'])
})
