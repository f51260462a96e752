import { expect, test } from 'vitest'
import { createOnce, createQueue } from '@/services/queue'
import { later } from './fakeRest'
import { settled } from './house'

test('a queue runs so many at once, in order, and goes on after a failure', async () => {
  const enqueue = createQueue(2)
  const doors = [later(), later(), later(), later()]
  const begun = []
  const results = doors.map((door, index) =>
    enqueue(async () => {
      begun.push(index)
      await door.promise
      if (index === 0) throw new Error('no')
      return index
    }).catch((error) => error.message),
  )
  await settled()
  expect(begun).toEqual([0, 1])
  doors[0].resolve()
  await settled()
  expect(begun).toEqual([0, 1, 2])
  doors.forEach((door) => door.resolve())
  expect(await Promise.all(results)).toEqual(['no', 1, 2, 3])
})

test('what is under way is not begun again, and can be afterwards', async () => {
  const once = createOnce()
  const door = later()
  let runs = 0
  const run = async () => (await door.promise, ++runs)
  const both = Promise.all([once('a', run), once('a', run)])
  door.resolve()
  expect(await both).toEqual([1, 1])
  expect(await once('a', run)).toBe(2)
  await expect(once('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await once('a', run)).toBe(3)
})
