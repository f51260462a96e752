import { defineStore } from 'pinia'
import { ref, watchEffect } from 'vue'
import { languageOf, setLanguage } from '@/i18n'

const KEY = 'vestnik.preferences'

/** How somebody likes it here; kept in the browser, for whoever logs in. */
export const usePreferences = defineStore('preferences', () => {
  /** @type {import('vue').Ref<'auto' | 'light' | 'dark'>} */
  const theme = ref('auto')
  /** @type {import('vue').Ref<'auto' | 'en' | 'ru'>} */
  const language = ref('auto')
  const sound = ref(false)

  function restore() {
    let kept
    try {
      kept = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    } catch {
      kept = {}
    }
    theme.value = ['light', 'dark'].includes(kept.theme) ? kept.theme : 'auto'
    language.value = ['en', 'ru'].includes(kept.language) ? kept.language : 'auto'
    sound.value = kept.sound === true
  }

  restore()
  window.addEventListener('storage', ({ key }) => key === KEY && restore())
  watchEffect(
    () => {
      const kept = { theme: theme.value, language: language.value, sound: sound.value }
      localStorage.setItem(KEY, JSON.stringify(kept))
      document.documentElement.dataset.theme = theme.value
      setLanguage(languageOf(language.value))
    },
    { flush: 'sync' },
  )

  return { theme, language, sound }
})
