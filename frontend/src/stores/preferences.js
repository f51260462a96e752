import { defineStore } from 'pinia'
import { reactive, toRefs, watchEffect } from 'vue'
import { languageOf, setLanguage } from '@/i18n'
import { load, save } from '@/services/storage'

const KEY = 'vestnik.preferences'

/**
 * What each may be; the first is the default.
 *
 * @type {Record<string, (string | boolean)[]>}
 */
const CHOICES = {
  theme: ['auto', 'light', 'dark'],
  language: ['auto', 'en', 'ru'],
  sound: [false, true],
  status: ['online', 'away', 'busy', 'offline'],
}

/** How somebody likes it here; kept in the browser, for whoever logs in, and shared by all its tabs. */
export const usePreferences = defineStore('preferences', () => {
  /** @type {{ theme: 'auto' | 'light' | 'dark', language: 'auto' | 'en' | 'ru', sound: boolean, status: string }} */
  const chosen = reactive(restored())

  window.addEventListener('storage', ({ key }) => {
    if (key === KEY || key === null) Object.assign(chosen, restored())
  })
  watchEffect(
    () => {
      save(KEY, chosen)
      document.documentElement.dataset.theme = chosen.theme
      setLanguage(languageOf(chosen.language))
    },
    { flush: 'sync' },
  )

  return toRefs(chosen)
})

/** @returns {any} */
function restored() {
  const kept = load(KEY)
  return Object.fromEntries(
    Object.entries(CHOICES).map(([name, choices]) => [
      name,
      choices.includes(kept?.[name]) ? kept[name] : choices[0],
    ]),
  )
}
