/**
 * Puts a text onto the clipboard. Pages that came over plain HTTP have no `navigator.clipboard`; there the browser's own
 * "copy" of a selection does it, if it is asked for by a key or a click.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there now
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
  // Nothing need be selected, and the focus stays where it is.
  document.addEventListener('copy', put, { capture: true })
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    document.removeEventListener('copy', put, { capture: true })
  }
}
