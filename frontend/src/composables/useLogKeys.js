import { onUpdated, ref } from 'vue'

/**
 * Keys in a log: Tab stops once, the arrow keys go from message to message, and Enter, the menu key or the right mouse
 * button opens a message's menu.
 *
 * @param {import('vue').Ref<HTMLElement | null>} log
 * @param {object} options
 * @param {(element: HTMLElement, box: DOMRect) => void} options.openMenu opens the menu beside the box
 * @param {() => void} options.leave called at Escape
 */
export function useLogKeys(log, { openMenu, leave }) {
  /** The `seq` of the message that has the focus. */
  const active = ref(/** @type {number | null} */ (null))

  /** @param {Event} event */
  const messageAt = (event) =>
    /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-seq]'))
  /** @param {HTMLElement} message */
  const bubbleOf = (message) =>
    /** @type {Element} */ (message.querySelector('.bubble')).getBoundingClientRect()

  /** @param {FocusEvent} event */
  function focusMoved(event) {
    active.value = Number(messageAt(event)?.dataset.seq) || null
  }

  // When the focused message is deleted, the log gets the focus.
  onUpdated(() => {
    if (active.value && document.activeElement === document.body) log.value?.focus({ preventScroll: true })
  })

  /** @param {HTMLElement | null} message null: starts at the last visible message @param {1 | -1} step */
  function neighbour(message, step) {
    const frame = /** @type {HTMLElement} */ (log.value)
    const all = /** @type {HTMLElement[]} */ ([...frame.querySelectorAll('[data-seq]')])
    if (message) return all[all.indexOf(message) + step]
    const { bottom } = frame.getBoundingClientRect()
    return all.findLast((one) => one.getBoundingClientRect().top < bottom)
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    const message = messageAt(event)
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
    if (event.altKey || event.ctrlKey || event.metaKey) return
    if (event.key === 'Escape') leave()
    else if (step) neighbour(message, step)?.focus()
    else if (event.key === 'Enter' && message && event.target === message)
      openMenu(message, bubbleOf(message))
    else return
    event.preventDefault()
  }

  /** @param {MouseEvent} event of the right button or the menu key */
  function contextMenu(event) {
    const message = messageAt(event)
    // Links, selections and Shift keep the browser's own menu.
    const isBrowsers = event.shiftKey || /** @type {Element} */ (event.target).closest('a')
    if (!message || isBrowsers || !getSelection()?.isCollapsed) return
    event.preventDefault()
    const isByKey = event.target === message && document.activeElement === message && event.button !== 2
    openMenu(message, isByKey ? bubbleOf(message) : new DOMRect(event.clientX, event.clientY))
  }

  return { active, focusMoved, press, contextMenu }
}
