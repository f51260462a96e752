/**
 * Where the focus goes when the element that has it is removed, such as a row of a list or the menu that led to a question, or
 * when it moves in the page: to the element itself, else to the one that had it before, else to the first control of the
 * page. The browser would take it to the page as a whole, where the way by Tab begins anew.
 */

const TRAIL_MAX = 30
/** Dialogs, menus and pages that close have places of their own for the focus; they come first. */
const PATIENCE_MS = 60

const CONTROLS = 'a[href], button, [tabindex="0"]'
/** A panel beside the chat is a part of the page. */
const DIALOG = '[role=dialog]:not([data-beside]), [role=alertdialog]'

/** What had the focus, the latest last. @type {HTMLElement[]} */
let trail = []
/** What has had the focus last, unless that is a message: messages leave the page as one scrolls. @type {HTMLElement | null} */
let last = null
let timer = 0

/** Starts to keep the focus. */
export function keepFocus() {
  document.addEventListener('focusin', noted)
  new MutationObserver(changed).observe(document.body, { childList: true, subtree: true })
}

/** @param {FocusEvent} event */
function noted({ target }) {
  const element = /** @type {HTMLElement} */ (target)
  last = element.closest('[role=log]') ? null : element
  trail = [...trail.filter((one) => one.isConnected && one !== element), element].slice(-TRAIL_MAX)
}

/** @param {MutationRecord[]} changes */
function changed(changes) {
  if (!last || !isLost()) return
  // An element that moves is removed and inserted again.
  if (!changes.some(({ removedNodes }) => [...removedNodes].some((node) => node.contains(last)))) return
  last = null
  clearTimeout(timer)
  timer = window.setTimeout(restore, PATIENCE_MS)
}

/** Whether no control has the focus. */
function isLost() {
  const active = document.activeElement
  return !active || active === document.body || active.matches(DIALOG)
}

function restore() {
  if (!isLost()) return
  const scope = [...document.querySelectorAll(DIALOG)].at(-1) ?? document.body
  // On a phone, a field with the focus opens the keyboard.
  const fields = matchMedia('(pointer: coarse)').matches ? 'input, textarea' : null
  const before = trail.findLast(
    (one) => one !== scope && scope.contains(one) && isShown(one) && !(fields && one.matches(fields)),
  )
  const next = before ?? [...document.querySelectorAll(`main :is(${CONTROLS})`)].find(isShown)
  if (scope.contains(next ?? null)) /** @type {HTMLElement} */ (next).focus({ preventScroll: true })
}

/** @param {Element} element */
function isShown(element) {
  return element.checkVisibility?.({ visibilityProperty: true }) ?? true
}
