/** Keys, as they are called on this machine and whichever alphabet they write. */

const isMac = /Mac|iP(hone|ad|od)/.test(navigator.platform)

export const CTRL = isMac ? '⌘' : 'Ctrl'
export const ALT = isMac ? '⌥' : 'Alt'
export const SHIFT = isMac ? '⇧' : 'Shift'

/**
 * Whether an event is Ctrl (or ⌘) and a key. Where that key writes another alphabet its place counts: Ctrl+Л is Ctrl+K,
 * and the full stop of a Russian keyboard is where `/` is.
 *
 * @param {KeyboardEvent} event
 * @param {string} key
 * @param {string} code the key's place
 */
export function isCtrl(event, key, code) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false
  const isElsewhere = event.key > '\x7f' || event.key === '.'
  return event.key.toLowerCase() === key || (isElsewhere && event.code === code)
}

/**
 * Whether a key belongs to a composition of an input method. In Safari the Enter that ends one comes after it, and is
 * told by its old code alone.
 *
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229
