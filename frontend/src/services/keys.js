/** The names of keys on this machine, and key combinations on any keyboard layout. */

const isMac = /Mac|iP(hone|ad|od)/.test(navigator.platform)

export const CTRL = isMac ? '⌘' : 'Ctrl'
export const ALT = isMac ? '⌥' : 'Alt'
export const SHIFT = isMac ? '⇧' : 'Shift'

/**
 * Whether an event is Ctrl (or ⌘) and a key. On layouts of other alphabets the position of the key counts: Ctrl+Л is
 * Ctrl+K, and the full stop of a Russian keyboard is where `/` is.
 *
 * @param {KeyboardEvent} event
 * @param {string} key
 * @param {string} code the key's position
 */
export function isCtrl(event, key, code) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false
  const isElsewhere = event.key > '\x7f' || event.key === '.'
  return event.key.toLowerCase() === key || (isElsewhere && event.code === code)
}

/**
 * Whether a key press belongs to the composition of an input method. In Safari the Enter that ends a composition comes
 * after it, and only the deprecated `keyCode` shows it.
 *
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229
