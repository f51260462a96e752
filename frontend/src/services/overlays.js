/**
 * What lies over the page (dialogs, questions, menus) and the Back button, which on a phone means: close it.
 *
 * Each overlay that is open has an entry of its own in the history, at the same address. Back takes that entry away, and
 * its overlay with it; an overlay that is closed otherwise takes its entry with it. The entries follow the overlays a
 * moment later, so that a menu that makes way for a dialog hands its entry over.
 */

/** A traversal that has not come by then does not come. */
const TRAVERSAL_MS = 1_000

/** @typedef {{ close: () => void }} Overlay */

/** Those that are open, the topmost last. @type {Overlay[]} */
const open = []
let isReconciling = false
/** Called when our own step in the history has been made. @type {(() => void) | null} */
let arrived = null

/** Where the page was when the topmost entry was made. */
let address = ''

/** How many entries of overlays the history is at. */
const depth = () => Number(history.state?.overlays ?? 0)

/**
 * An overlay is open from now on.
 *
 * @param {() => void} close what Back does
 * @returns {() => void} to be called once it is closed, however that came
 */
export function opened(close) {
  const overlay = { close }
  open.push(overlay)
  reconcile()
  return () => {
    const index = open.indexOf(overlay)
    if (index >= 0) open.splice(index, 1)
    reconcile()
  }
}

/** Closes everything. Resolves when the history is at the page itself, where the next entry may be put. */
export async function closeAll() {
  if (!open.length && !depth() && !isReconciling) return
  for (const { close } of [...open].reverse()) close()
  open.length = 0
  await reconcile()
}

/** Brings the entries in line with what is open, a moment later. */
async function reconcile() {
  if (isReconciling) return settled
  isReconciling = true
  settled = (async () => {
    await new Promise((done) => setTimeout(done))
    while (depth() !== open.length) {
      if (depth() > open.length) await step(open.length - depth())
      else enter()
    }
    isReconciling = false
  })()
  return settled
}
let settled = Promise.resolve()

function enter() {
  address = location.href
  history.pushState({ ...history.state, overlays: depth() + 1 }, '')
}

/** @param {number} delta */
async function step(delta) {
  const before = depth()
  await new Promise((done) => {
    arrived = () => done(null)
    setTimeout(done, TRAVERSAL_MS)
    history.go(delta)
  })
  arrived = null
  // There is no such entry to go back to: this one counts as the page's own.
  if (depth() === before) history.replaceState({ ...history.state, overlays: open.length }, '')
}

/** @param {PopStateEvent} event */
function popped(event) {
  if (arrived) {
    event.stopImmediatePropagation()
    arrived()
  } else if (open.length && location.href !== address) {
    for (const { close } of open.splice(0).reverse()) close() // several steps at once, to another place
  } else if (depth() < open.length) {
    event.stopImmediatePropagation() // the router has nothing to do: the address is the same
    open.pop()?.close()
    reconcile()
  } else if (depth() > open.length) {
    event.stopImmediatePropagation() // forward again, to an overlay that is closed
    reconcile()
  }
}

// Before the router hears of it: see router.js.
window.addEventListener('popstate', popped, { capture: true })
