/**
 * What lies over the page (dialogs, questions, menus) and the Back button, which on a phone means: close it.
 *
 * An overlay that opens puts an entry of its own into the history, at the same address; Back takes the entry away, and
 * the overlay with it. An overlay that is closed otherwise leaves its entry there for the next one: a step back that
 * nobody asked for could cut off a page that is just being loaded. Back passes over such an entry, and the router's next
 * page takes its place.
 */

/** A traversal that has not come by then does not come. */
const TRAVERSAL_MS = 1_000

/** @typedef {{ close: () => void }} Overlay */

/** Those that are open, the topmost last. @type {Overlay[]} */
const open = []
/** Called when our own step in the history has been made. @type {(() => void) | null} */
let arrived = null

/** How many entries of overlays are under the one the history is at, itself included. */
const depth = () => Number(history.state?.overlays ?? 0)
let at = depth()
/** Where the page was when the last of these entries was made. */
let address = location.href

/**
 * An overlay is open from now on.
 *
 * @param {() => void} close what Back does
 * @returns {() => void} to be called once it is closed, however that came
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

/** Closes everything. Resolves when the history is at the page itself, after which the next entry may be put. */
export async function closeAll() {
  for (const { close } of open.splice(0).reverse()) close()
  if (!depth()) return
  await new Promise((done) => {
    arrived = () => done(null)
    setTimeout(done, TRAVERSAL_MS)
    history.go(-depth())
  })
  arrived = null
  // There was no such entry to go back to: this one counts as the page's own.
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
  if (location.href !== address || at === before) return leftFor()
  // At the same address: the router has nothing to do.
  event.stopImmediatePropagation()
  if (at > before) return // forward, to an entry whose overlay is closed
  const closing = open.splice(at).reverse()
  for (const { close } of closing) close()
  if (!closing.length) history.back() // nothing was over it any more
}

/** Another page, several steps away perhaps: the router goes there. */
function leftFor() {
  for (const { close } of open.splice(0).reverse()) close()
}

// Before the router hears of it: see router.js.
window.addEventListener('popstate', popped, { capture: true })
