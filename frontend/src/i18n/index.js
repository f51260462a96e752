/** The words of the client. Messages are compiled without `eval`, as a strict Content-Security-Policy asks for. */
import { createI18n } from 'vue-i18n'
import en from './en'
import ru from './ru'

const RUSSIAN_FORMS = ['one', 'few', 'many']
const russian = new Intl.PluralRules('ru')

/** `{n} день | {n} дня | {n} дней` @param {number} n */
function russianForm(n) {
  const form = RUSSIAN_FORMS.indexOf(russian.select(n))
  return form < 0 ? 1 : form // fractions: 1,5 дня
}

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en, ru },
  pluralRules: { ru: russianForm },
})

/**
 * The language for a preference.
 *
 * @param {'auto' | 'en' | 'ru'} preference
 * @returns {'en' | 'ru'}
 */
export function languageOf(preference) {
  if (preference !== 'auto') return preference
  const known = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'en' || tag === 'ru')
  return /** @type {any} */ (known ?? 'en')
}

/** @param {'en' | 'ru'} language */
export function setLanguage(language) {
  i18n.global.locale.value = language
  document.documentElement.lang = language
}
