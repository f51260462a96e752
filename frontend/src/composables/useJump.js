import { useRouter } from 'vue-router'
import { computed, onScopeDispose } from 'vue'
import { closeAll } from '@/services/overlays'

/** @typedef {() => number | null} PlaceReader returns the id of the first visible message, null at the end of the chat */

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
    if (readPlace) history.replaceState({ ...history.state, place: readPlace() }, '')
    const to = { name: 'chat', params: { chatId }, query: { message: messageId }, state: { isJump: true } }
    await router.push({ ...to, force: true }) // also to the message at which the page is
  }

  /** Whether a jump has led here. */
  const isJump = computed(() => Boolean(router.currentRoute.value && history.state?.isJump))

  return { jump, isJump, back: () => router.back() }
}

/**
 * Where the open chat is to be, by the present entry of the history. The place that the entry has kept counts once: after
 * that the user reads on.
 *
 * @param {number | null} messageId the message of its address
 * @returns {{ messageId: number | null, isPlace: boolean }} `isPlace`: the user was there when they jumped, so that the
 *   message is not marked; without a message: at the end
 */
export function takePlace(messageId) {
  const { place, ...state } = history.state ?? {}
  if (place === undefined) return { messageId, isPlace: false }
  history.replaceState(state, '')
  return { messageId: place, isPlace: true }
}
