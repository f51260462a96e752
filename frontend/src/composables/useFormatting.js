import { isCtrl } from '@/services/keys'
import { change, replace } from '@/services/textField'
import { BOLD, CODE, ITALIC, toggled } from '@/text/markers'

/** The keys that format, with Ctrl: their names and positions. */
const KEYS = [
  ['b', 'KeyB', BOLD],
  ['i', 'KeyI', ITALIC],
  ['e', 'KeyE', CODE],
]

/**
 * Formats the selected text of a text field, and puts emoji into it.
 *
 * @param {import('vue').Ref<HTMLTextAreaElement | null>} field
 */
export function useFormatting(field) {
  /** Makes the selected text bold, italic or code, or ends that. Whether the key was for this. @param {KeyboardEvent} event */
  function press(event) {
    const [, , marker] = KEYS.find(([key, code]) => isCtrl(event, key, code)) ?? []
    if (!marker || event.shiftKey) return false
    apply(marker)
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
