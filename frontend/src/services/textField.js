/**
 * Changes a part of a text field as if the user had typed it, so that the browser can undo it, and selects what is said.
 *
 * A field without the focus stays without it: on a phone the focus would open the keyboard.
 *
 * @param {HTMLTextAreaElement} field
 * @param {import('@/text/markers').Edit} edit
 */
export function change(field, { start, end, insert, selected }) {
  if (start !== end || insert) {
    field.setSelectionRange(start, end)
    const isTyped = document.activeElement === field && isDone(insert)
    if (!isTyped) {
      field.setRangeText(insert, start, end, 'end')
      field.dispatchEvent(new InputEvent('input', { bubbles: true }))
    }
  }
  field.setSelectionRange(...selected)
}

/** @param {string} insert */
function isDone(insert) {
  try {
    return insert ? document.execCommand('insertText', false, insert) : document.execCommand('delete')
  } catch {
    return false
  }
}

/**
 * Puts a text in place of a part, with the caret after it.
 *
 * @param {HTMLTextAreaElement} field
 * @param {{ start: number, end: number }} part
 * @param {string} insert
 */
export function replace(field, { start, end }, insert) {
  const caret = start + insert.length
  change(field, { start, end, insert, selected: [caret, caret] })
}
