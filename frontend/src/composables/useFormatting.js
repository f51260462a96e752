import { isCtrl } from '@/services/keys'
import { change, replace } from '@/services/textField'
import { BOLD, CODE, ITALIC, STRIKE, toggled } from '@/text/markers'

/** What the composer can make of a selected text, and the key that does it, with Ctrl. */
export const FORMATS = [
  { name: 'bold', marker: BOLD, key: 'B', isShifted: false },
  { name: 'italic', marker: ITALIC, key: 'I', isShifted: false },
  { name: 'strike', marker: STRIKE, key: 'X', isShifted: true },
  { name: 'code', marker: CODE, key: 'E', isShifted: false },
]

/**
 * Formats the selected text of a text field, and puts emoji into it.
 *
 * @param {import('vue').Ref<HTMLTextAreaElement | null>} field
 */
export function useFormatting(field) {
  /** Formats by a key. Whether the key was for this. @param {KeyboardEvent} event */
  function press(event) {
    const format = FORMATS.find(
      ({ key, isShifted }) => isCtrl(event, key.toLowerCase(), `Key${key}`) && event.shiftKey === isShifted,
    )
    if (!format) return false
    apply(format.marker)
    event.preventDefault()
    return true
  }

  /** Puts a marker around the selected text, or takes it away. @param {string} marker */
  function apply(marker) {
    const element = field.value
    if (!element) return
    change(element, toggled(element.value, element.selectionStart, element.selectionEnd, marker))
  }

  /** Puts a text in place of the selection. On a phone the field does not get the focus. @param {string} text */
  function insert(text) {
    const element = field.value
    if (!element) return
    const { selectionStart: start, selectionEnd: end } = element
    if (matchMedia('(hover: hover)').matches) element.focus()
    replace(element, { start, end }, text)
  }

  return { press, apply, insert }
}
