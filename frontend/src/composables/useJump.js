import { useRouter } from 'vue-router'
import { computed, onScopeDispose } from 'vue'
import { closeAll } from '@/services/overlays'

/**
 * @typedef {import('@/stores/places').Place} Place
 * @typedef {() => Place | null | undefined} PlaceReader returns where the user is in the open chat; null: at its end;
 *   undefined: they have not come anywhere yet
 */

/** That of the open chat. @type {PlaceReader | null} */
let readPlace = null

/** Tells jumps what the open chat shows. @param {PlaceReader} own */
export function providePlace(own) {
  readPlace = own
  onScopeDispose(() => {
    if (readPlace === own) readPlace = null
  })
}

/**
 * Jumps to messages. Each jump is an entry of the browser's history, and the entry before it keeps the place that was shown,
 * so that Back, in the page or of the browser, leads there again.
 */
export function useJump() {
  const router = useRouter()

  /** @param {number} chatId @param {number} messageId */
  async function jump(chatId, messageId) {
    await closeAll()
    await new Promise((done) => setTimeout(done)) // a dialog that closes returns the focus
    keepPlace(readPlace?.())
    const to = { name: 'chat', params: { chatId }, query: { message: messageId }, state: { isJump: true } }
    await router.push({ ...to, force: true }) // also to the message at which the page is
  }

  /** Whether a jump has led here. */
  const isJump = computed(() => Boolean(router.currentRoute.value && history.state?.isJump))

  return { jump, isJump, back: () => router.back() }
}

/** @param {Place | null | undefined} place */
function keepPlace(place) {
  // The router has a copy of the state, whose values count where this has none.
  history.replaceState({ ...history.state, place }, '')
}

/**
 * The place that the present entry of the history has kept; null: the end of the chat; undefined: it has kept none. It
 * counts once: after that the user reads on.
 *
 * @returns {Place | null | undefined}
 */
export function takePlace() {
  const place = history.state?.place
  if (place !== undefined) keepPlace(undefined)
  return place
}
