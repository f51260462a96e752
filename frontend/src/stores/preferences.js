import { defineStore } from 'pinia'
import { reactive, toRefs, watchEffect } from 'vue'
import { useNotices } from '@/composables/useNotices'
import { i18n, languageOf, setLanguage } from '@/i18n'
import { load, save } from '@/services/storage'

const KEY = 'vestnik.preferences'

/**
 * The values of each preference. The first one is the default.
 *
 * @type {Record<string, (string | boolean)[]>}
 */
const CHOICES = {
  theme: ['auto', 'light', 'dark'],
  language: ['auto', 'en', 'ru'],
  sound: [false, true],
  status: ['online', 'away', 'busy', 'offline'],
}

/**
 * @typedef {object} Preferences
 * @property {'auto' | 'light' | 'dark'} theme
 * @property {'auto' | 'en' | 'ru'} language
 * @property {boolean} sound
 * @property {import('@/types').Status} status what the user chose to be seen as before the server knew it
 */

/** The preferences of this browser, for every user who logs in. All its tabs share them. */
export const usePreferences = defineStore('preferences', () => {
  const preferences = reactive(restored())

  window.addEventListener('storage', ({ key }) => {
    if (key === KEY || key === null) Object.assign(preferences, restored())
  })
  watchEffect(
    () => {
      save(KEY, preferences)
      document.documentElement.dataset.theme = preferences.theme
      setLanguage(languageOf(preferences.language)).catch(showFailure)
    },
    { flush: 'sync' },
  )

  return toRefs(preferences)
})

/** The language stays as it was. @param {unknown} error */
function showFailure(error) {
  console.warn('The texts of a language could not be loaded:', error)
  useNotices().notify(i18n.global.t('errors.not_loaded'))
}

/** The stored values, with the default for each that is missing or unknown. @returns {Preferences} */
function restored() {
  const stored = load(KEY)
  const valid = Object.entries(CHOICES).map(([name, choices]) => [
    name,
    choices.includes(stored?.[name]) ? stored[name] : choices[0],
  ])
  return /** @type {any} */ (Object.fromEntries(valid))
}
