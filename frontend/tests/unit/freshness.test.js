import { expect, test } from 'vitest'
import { createFreshness } from '@/services/freshness'

test('an answer counts unless something newer is known', () => {
  const freshness = createFreshness()
  const first = freshness.start()
  const second = freshness.start()
  expect(freshness.accept('a', second)).toBe(true)
  expect(freshness.accept('a', first)).toBe(false) // the answer to the earlier request comes later
  expect(freshness.accept('b', first)).toBe(true)
  const third = freshness.start()
  freshness.changed('a')
  expect(freshness.isNewer('a', third)).toBe(false)
  expect(freshness.accept('a', freshness.start())).toBe(true)
  expect(freshness.isKnownSince('a', third)).toBe(true)
  expect(freshness.isKnownSince('c', third)).toBe(false)
})

test('no answer to a request before a reset counts', () => {
  const freshness = createFreshness()
  const before = freshness.start()
  freshness.reset()
  expect(freshness.accept('a', before)).toBe(false)
  expect(freshness.accept('a', freshness.start())).toBe(true)
})
