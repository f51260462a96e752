import { expect, test } from 'vitest'
import { createOnce } from '@/services/once'
import { later } from './fakeRest'
import { settled } from './app'

test('calls before a request goes out share its answer', async () => {
  const once = createOnce()
  const answer = later()
  let runs = 0
  const run = async () => (await answer.promise, ++runs)
  const both = Promise.all([once('a', run), once('a', run)])
  answer.resolve()
  expect(await both).toEqual([1, 1])
  expect(await once('a', run)).toBe(2)
  await expect(once('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await once('a', run)).toBe(3)
})

test('a call while a request is out gets the answer of the next one', async () => {
  const once = createOnce()
  const answers = [later(), later(), later()]
  let begun = 0
  const run = async () => {
    const mine = begun++
    await answers[mine].promise
    if (mine === 0) throw new Error('lost')
    return mine
  }
  const first = once('a', run).catch((error) => error.message)
  await settled()
  const others = [once('a', run), once('a', run)]
  const other = once('b', async () => 'b')
  const any = once.any('a', run)
  await settled()
  expect([begun, once.isPending('a'), await other]).toEqual([1, true, 'b'])
  answers[0].resolve()
  expect(await first).toBe('lost')
  await settled()
  expect(begun).toBe(2)
  const any2 = once.any('a', run)
  answers[1].resolve()
  expect(await Promise.all([...others, any, any2])).toEqual([1, 1, 1, 1])
  await settled()
  expect([begun, once.isPending('a')]).toEqual([2, false])
})
