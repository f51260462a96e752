/**
 * Copies a text to the clipboard. Pages over plain HTTP have no `navigator.clipboard`; there the browser's command "copy"
 * does it, which needs a key press or a click. Unlike VueUse's `useClipboard`, this keeps the selection and the focus.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copySelected(text)
  }
}

/** @param {string} text */
function copySelected(text) {
  /** @param {ClipboardEvent} event */
  function put(event) {
    event.clipboardData?.setData('text/plain', text)
    event.preventDefault()
    event.stopImmediatePropagation()
  }
  document.addEventListener('copy', put, { capture: true })
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    document.removeEventListener('copy', put, { capture: true })
  }
}
