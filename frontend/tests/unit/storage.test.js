import { afterEach, expect, test, vi } from 'vitest'

const open = async () => (vi.resetModules(), import('@/services/storage'))

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  localStorage.clear()
})

test('a value lasts until it is removed', async () => {
  const { save } = await open()
  save('a', { n: 1 })
  const next = await open()
  expect(next.load('a')).toEqual({ n: 1 })
  next.save('a', null)
  expect([next.load('a'), localStorage.length]).toEqual([null, 0])
})

test('a value that is not JSON is null', async () => {
  localStorage.setItem('a', 'rubbish')
  expect((await open()).load('a')).toBeNull()
})

test('without a storage values last as long as the page', async () => {
  vi.stubGlobal('localStorage', {
    getItem() {
      throw new DOMException('denied', 'SecurityError')
    },
  })
  const { load, save, storage } = await open()
  save('a', 1)
  save('b', 2)
  save('b', null)
  expect([load('a'), load('b')]).toEqual([1, null])
  expect([storage.length, storage.key(0), storage.key(1)]).toEqual([1, 'a', null])
})

test('a full storage throws nothing', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.stubGlobal('localStorage', {
    getItem: () => null,
    setItem() {
      throw new DOMException('full', 'QuotaExceededError')
    },
  })
  const { save } = await open()
  save('a', 1)
  expect(console.warn).toHaveBeenCalledOnce()
})
