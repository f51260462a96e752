/**
 * Overlays (dialogs, questions, menus) and the Back button, which closes them.
 *
 * An overlay that opens adds a history entry with the same address. Back removes the entry and closes the overlay. An
 * overlay that is closed in another way leaves its entry for the next overlay: removing it would need a step back, which
 * could abort a page that is loading. Back skips such an entry, and the router's next page replaces it.
 */

/** A step in the history that has not happened after this time will not happen. */
const TRAVERSAL_MS = 1_000

/** @typedef {{ close: (isLeaving: boolean) => void }} Overlay */

/** The open overlays, the topmost last. @type {Overlay[]} */
const open = []
/** Called after a step in the history that `closeAll` has asked for. @type {(() => void) | null} */
let arrived = null
/** The step that is under way. @type {Promise<void> | null} */
let leaving = null

/** The number of overlay entries up to the present history entry. */
const depth = () => Number(history.state?.overlays ?? 0)
let at = depth()
/** The page's address when the last overlay entry was added. */
let address = location.href

/**
 * Registers an overlay that has opened.
 *
 * @param {(isLeaving: boolean) => void} close called by Back, and with true when the user goes to another page
 * @returns {() => void} to be called when the overlay is closed, in whichever way
 */
export function opened(close) {
  const overlay = { close }
  open.push(overlay)
  while (depth() < open.length) enter()
  return () => {
    const index = open.indexOf(overlay)
    if (index >= 0) open.splice(index, 1)
  }
}

function enter() {
  address = location.href
  history.pushState({ ...history.state, overlays: depth() + 1 }, '')
  at = depth()
}

/** Dialogs, questions and menus. A panel beside the chat covers nothing. */
const COVERING = '[role=dialog]:not([data-beside]), [role=alertdialog], [role=menu]'

/** Whether something is shown over the page that has keys of its own. */
export const isCovered = () => document.querySelector(COVERING) !== null

/** Closes all overlays. Resolves when the history is at the page's own entry, so that the router can add the next one. */
export function closeAll() {
  closeOpen(true)
  // Two pages may be asked for at once. Two steps back would lead out of the client.
  return (leaving ??= leaveEntries().finally(() => (leaving = null)))
}

async function leaveEntries() {
  if (!depth()) return
  await new Promise((done) => {
    arrived = () => done(null)
    setTimeout(done, TRAVERSAL_MS)
    history.go(-depth())
  })
  arrived = null
  // The step back did not happen. From now on this entry counts as the page's own.
  if (depth()) history.replaceState({ ...history.state, overlays: 0 }, '')
  at = depth()
}

/** @param {PopStateEvent} event */
function popped(event) {
  const before = at
  at = depth()
  if (arrived) {
    event.stopImmediatePropagation()
    return arrived()
  }
  if (location.href !== address || at === before) return closeOpen()
  // The address is the same: the router has nothing to do.
  event.stopImmediatePropagation()
  if (at > before) return // a step forward, to the entry of a closed overlay
  const closing = open.splice(at).reverse()
  for (const { close } of closing) close(false)
  if (!closing.length) history.back() // the entry of a closed overlay is skipped
}

function closeOpen(isLeaving = false) {
  for (const { close } of open.splice(0).reverse()) close(isLeaving)
}

// Before the router's own listener: see router.js.
window.addEventListener('popstate', popped, { capture: true })
