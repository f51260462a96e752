import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test } from 'vitest'
import { i18n, languageReady } from '@/i18n'
import { usePreferences } from '@/stores/preferences'

const KEY = 'vestnik.preferences'

beforeEach(() => localStorage.clear())

function open() {
  setActivePinia(createPinia())
  return usePreferences()
}

test('are stored, and applied to the page', async () => {
  const preferences = open()
  Object.assign(preferences, { theme: 'dark', language: 'ru', sound: true, status: 'busy' })
  expect(document.documentElement.dataset.theme).toBe('dark')
  await languageReady()
  expect(i18n.global.locale.value).toBe('ru')
  expect({ ...open().$state }).toEqual({ theme: 'dark', language: 'ru', sound: true, status: 'busy' })
})

test.each([['rubbish'], ['null'], ['{"theme":"pink","language":"tlh","sound":"loud","status":7}']])(
  'are the defaults if %s is stored',
  (kept) => {
    localStorage.setItem(KEY, kept)
    expect({ ...open().$state }).toEqual({ theme: 'auto', language: 'auto', sound: false, status: 'online' })
  },
)

test('are the same in all tabs', () => {
  const preferences = open()
  localStorage.setItem(KEY, JSON.stringify({ theme: 'light' }))
  window.dispatchEvent(new StorageEvent('storage', { key: KEY }))
  expect(preferences.theme).toBe('light')
  expect(document.documentElement.dataset.theme).toBe('light')
})
