import { i18n } from './index'

/**
 * A failure in words.
 *
 * @param {{ code: string, retryAfterMs?: number }} error of the server or of the way to it
 * @param {Record<string, string>} words the keys of messages for codes that mean something special here
 */
export function textOf(error, words = {}) {
  const { t, te } = i18n.global
  const key = words[error.code] ?? `errors.${error.code}`
  if (!te(key, 'en')) return t('errors.unknown', { code: error.code })
  return t(key, Math.ceil((error.retryAfterMs ?? 0) / 1000))
}

/**
 * What is wrong with a field.
 *
 * @param {{ code: string }} error
 * @param {string} field
 * @param {string} message the server's own, in English
 */
export function fieldTextOf(error, field, message) {
  const { t, te } = i18n.global
  const key = `errors.${error.code === 'conflict' ? 'taken' : 'fields'}.${field}`
  return te(key, 'en') ? t(key) : message
}
