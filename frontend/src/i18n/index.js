/** The client's translations. They are compiled without `eval`, as a strict Content-Security-Policy requires. */
import { createI18n } from 'vue-i18n'
import { isolated } from '@/text/bidi'

/** @typedef {'en' | 'ru'} Language */

/** The texts of the first load. The browser loads those of its language only. @type {Record<Language, () => Promise<{ default: object }>>} */
const TEXTS = { en: () => import('./en'), ru: () => import('./ru') }

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
  fallbackLocale: false,
  messages: { en: {}, ru: {} },
  pluralRules: { ru: russianForm },
})

// Named values in a translation are texts by users, so they are isolated from the sentence around them. All components and
// stores translate with this function.
const translate = /** @type {(...given: any[]) => string} */ (i18n.global.t)
i18n.global.t = /** @type {any} */ (
  (/** @type {any[]} */ ...given) => translate(...given.map((one) => (isNamed(one) ? isolateAll(one) : one)))
)

/** @param {unknown} given @returns {given is Record<string, unknown>} */
function isNamed(given) {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

/** @param {Record<string, unknown>} named */
function isolateAll(named) {
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [name, typeof value === 'string' ? isolated(value) : value]),
  )
}

/**
 * The language for a preference.
 *
 * @param {'auto' | 'en' | 'ru'} preference
 * @returns {Language}
 */
export function languageOf(preference) {
  if (preference !== 'auto') return preference
  const known = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'en' || tag === 'ru')
  return /** @type {any} */ (known ?? 'en')
}

/** @type {Set<Language>} */
const loaded = new Set()
let wanted = /** @type {Language} */ ('en')
let change = Promise.resolve()

/**
 * Shows everything in a language, as soon as its texts are there.
 *
 * @param {Language} language
 * @returns {Promise<void>} rejects if they cannot be loaded
 */
export function setLanguage(language) {
  wanted = language
  if (loaded.has(language)) show(language)
  else change = load(language)
  return change
}

/** Resolves when the texts of the language are there that was set last. */
export const languageReady = () => change

/** @param {Language} language */
async function load(language) {
  const { default: texts } = await TEXTS[language]()
  i18n.global.mergeLocaleMessage(language, texts)
  loaded.add(language)
  if (wanted === language) show(language)
}

/** @param {Language} language */
function show(language) {
  i18n.global.locale.value = language
  document.documentElement.lang = language
}
