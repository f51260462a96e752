import { expect, test } from 'vitest'
import { createFreshness } from '@/services/freshness'

test('an answer counts unless something newer is known', () => {
  const freshness = createFreshness()
  const first = freshness.ask()
  const second = freshness.ask()
  expect(freshness.take('a', second)).toBe(true)
  expect(freshness.take('a', first)).toBe(false) // the answer to the earlier question comes later
  expect(freshness.take('b', first)).toBe(true)
  const third = freshness.ask()
  freshness.told('a')
  expect(freshness.isNews('a', third)).toBe(false)
  expect(freshness.take('a', freshness.ask())).toBe(true)
  expect(freshness.isAsOf('a', third)).toBe(true)
  expect(freshness.isAsOf('c', third)).toBe(false)
})

test('nothing that was asked before a reset counts', () => {
  const freshness = createFreshness()
  const before = freshness.ask()
  freshness.reset()
  expect(freshness.take('a', before)).toBe(false)
  expect(freshness.take('a', freshness.ask())).toBe(true)
})
