import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bob, logIn, otherTab } from './fakeRest'

const place = { id: 50, seq: 5, top: -20 }
let places

beforeEach(async () => {
  vi.resetModules()
  vi.useFakeTimers()
  logIn()
  setActivePinia(createPinia())
  places = (await import('@/stores/places')).usePlaces()
})

afterEach(() => vi.useRealTimers())

test('a place in a chat is kept for an hour, or until the user leaves from the end', () => {
  expect(places.get(7)).toBeNull()
  places.keep(7, place)
  vi.advanceTimersByTime(3_599_000)
  expect(places.get(7)).toMatchObject(place)
  vi.advanceTimersByTime(2_000)
  expect(places.get(7)).toBeNull()
  places.keep(7, place)
  places.keep(7, null)
  expect(places.get(7)).toBeNull()
})

test('another user does not get it', () => {
  places.keep(7, place)
  otherTab(() => logIn(2, bob))
  expect(places.get(7)).toBeNull()
})
