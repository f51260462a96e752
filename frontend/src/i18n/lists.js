import { i18n } from './index'

/** Ann, Bob and you @param {string[]} items */
export function listOf(items) {
  return new Intl.ListFormat(i18n.global.locale.value, { type: 'conjunction' }).format(items)
}
