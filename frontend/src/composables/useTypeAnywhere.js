import { useEventListener } from '@vueuse/core'
import { isCtrl } from '@/services/keys'
import { isCovered } from '@/services/overlays'

const FIELDS = 'input, textarea, select, [contenteditable=true], [role=listbox]'
/** Keys with which the composition of a character begins. */
const COMPOSING = ['Dead', 'Process']

/** Whether a key press writes a character. The space bar scrolls and presses buttons. @param {KeyboardEvent} event */
export function writes(event) {
  if (isCtrl(event, 'v', 'KeyV')) return true
  const isAltGr = event.getModifierState('AltGraph')
  if (!isAltGr && (event.ctrlKey || event.metaKey || event.altKey)) return false
  return event.key !== ' ' && ([...event.key].length === 1 || COMPOSING.includes(event.key))
}

/**
 * Moves the focus to a text field when the user types where nothing can be typed, so that the field gets the character.
 *
 * @param {() => HTMLElement | null} fieldOf the field; null: there is none at present
 */
export function useTypeAnywhere(fieldOf) {
  useEventListener(document, 'keydown', (event) => {
    const target = /** @type {Element | null} */ (event.target)
    if (event.defaultPrevented || !writes(event) || target?.closest(FIELDS) || isCovered()) return
    fieldOf()?.focus()
  })
}
