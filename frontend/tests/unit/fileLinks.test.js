import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const HOUR_S = 3600
let api, useFileLinks, isOver, links

const link = (name, inS) =>
  `/api/uploads/${name}?expires=${Math.floor(Date.now() / 1000) + inS}&signature=${name}`
const attachment = (url) => ({
  id: 'a',
  name: 'a.png',
  content_type: 'image/png',
  size: 1,
  url,
  thumbnail_url: null,
})

beforeEach(async () => {
  vi.useFakeTimers()
  vi.resetModules()
  setActivePinia(createPinia())
  ;({ default: api } = await import('@/services/api'))
  ;({ useFileLinks, isOver } = await import('@/files/fileLinks'))
  links = useFileLinks()
})
afterEach(() => vi.useRealTimers())

test('a link is over a little before its time', () => {
  expect(isOver(link('a', HOUR_S))).toBe(false)
  expect(isOver(link('a', 30))).toBe(true)
  expect(isOver(link('a', -5))).toBe(true)
  expect(isOver('/api/uploads/a')).toBe(false)
})

test('a file keeps its link while it is good, whatever link a newer copy of the message has', () => {
  const one = link('a', HOUR_S)
  expect(links.addressOfFile(attachment(one))).toBe(one)
  const other = link('a', 2 * HOUR_S)
  expect(links.addressOfFile(attachment(other))).toBe(one)
  vi.advanceTimersByTime(HOUR_S * 1000)
  expect(links.addressOfFile(attachment(other))).toBe(other)
})

test('a link that is over is renewed, once for all that show it', async () => {
  const fresh = link('fresh', 24 * HOUR_S)
  const get = vi.spyOn(api, 'get').mockResolvedValue({ url: fresh, thumbnail_url: `${fresh}t` })
  const old = attachment(link('a', -1))
  links.addressOfFile(old)
  links.addressOfThumbnail(old)
  await vi.advanceTimersByTimeAsync(0)
  expect(get.mock.calls).toEqual([['/uploads/a/urls']])
  expect(links.addressOfFile(old)).toBe(fresh)
  expect(links.addressOfThumbnail(old)).toBe(`${fresh}t`)
})

test('what fails with the present link fails for another reason', async () => {
  const [old, fresh] = [link('old', HOUR_S), link('fresh', HOUR_S)]
  const get = vi.spyOn(api, 'get').mockResolvedValue({ url: fresh, thumbnail_url: null })
  expect(await links.renew('a', old)).toBe('renewed')
  expect(await links.renew('a', fresh)).toBe('same')
  expect(await links.renew('a', old)).toBe('renewed') // for another place that shows it
  expect(get).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await links.renew('a', fresh)).toBe('same')
  expect(get).toHaveBeenCalledTimes(2)
})

test('without an answer nothing is known of a link', async () => {
  const { ApiError } = await import('@/services/http')
  vi.spyOn(api, 'get').mockRejectedValue(new ApiError({ status: 0, code: 'network' }))
  expect(await links.renew('a', link('a', HOUR_S))).toBe('unknown')
})

test('by a clock that is fast the fresh link counts, though it seems to be over', async () => {
  const fresh = link('fresh', -2 * HOUR_S)
  const get = vi.spyOn(api, 'get').mockResolvedValue({ url: fresh, thumbnail_url: null })
  const old = attachment(link('a', -3 * HOUR_S))
  expect(links.addressOfFile(old)).toBe(old.url)
  await vi.advanceTimersByTimeAsync(0)
  for (let count = 0; count < 3; count++) expect(links.addressOfFile(old)).toBe(fresh)
  expect(get).toHaveBeenCalledTimes(1)
})

test('a file that is not there any more is gone', async () => {
  const { ApiError } = await import('@/services/http')
  vi.spyOn(api, 'get').mockRejectedValue(new ApiError({ status: 404, code: 'not_found' }))
  const file = attachment(link('a', HOUR_S))
  expect(links.isGone(file)).toBe(false)
  expect(await links.renew('a', file.url)).toBe('gone')
  expect(links.isGone(file)).toBe(true)
  expect(links.addressOfFile(file)).toBe('')
})
