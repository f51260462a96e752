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
  if (field === 'password' && error.code === 'invalid') return passwordText(message)
  const key = `errors.${error.code === 'conflict' ? 'taken' : 'fields'}.${field}`
  return te(key, 'en') ? t(key) : message
}

/** What is wrong with a new password. @param {string} message the server's, which has its own least number */
function passwordText(message) {
  const { t } = i18n.global
  const [, least] = /at least (\d+) char/.exec(message) ?? []
  if (least) return t('errors.passwordShort', Number(least))
  return /at most \d+ bytes/.test(message) ? t('errors.passwordLong') : t('errors.fields.password')
}
