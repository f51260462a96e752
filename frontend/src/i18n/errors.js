import { i18n } from './index'

/**
 * The text for a failure.
 *
 * @param {{ code: string, retryAfterMs?: number }} error
 * @param {Record<string, string>} words translation keys for codes that mean something special to the caller
 */
export function textOf(error, words = {}) {
  const { t, te } = i18n.global
  const key = words[error.code] ?? `errors.${error.code}`
  if (!te(key)) return t('errors.unknown', { code: error.code })
  return t(key, Math.ceil((error.retryAfterMs ?? 0) / 1000))
}

/**
 * The text for a wrong field.
 *
 * @param {{ code: string }} error
 * @param {string} field
 * @param {string} message the server's, in English
 */
export function fieldTextOf(error, field, message) {
  const { t, te } = i18n.global
  if (field === 'password' && error.code === 'invalid') return passwordText(message)
  const key = `errors.${error.code === 'conflict' ? 'taken' : 'fields'}.${field}`
  return te(key) ? t(key) : message
}

/** The text for a wrong new password. @param {string} message the server's, which names its minimum length */
function passwordText(message) {
  const { t } = i18n.global
  const [, least] = /at least (\d+) char/.exec(message) ?? []
  if (least) return t('errors.passwordShort', Number(least))
  return /at most \d+ bytes/.test(message) ? t('errors.passwordLong') : t('errors.fields.password')
}
