import { isNavigationFailure, NavigationFailureType, useRoute, useRouter } from 'vue-router'
import { computed, onScopeDispose } from 'vue'
import { closeAll } from '@/services/overlays'

/**
 * The log that is open: what it shows, and how it shows a message.
 *
 * @typedef {{ place: () => number | null, show: (messageId: number) => void }} Reader `place`: the id of the first visible
 *   message, null at the end of the chat
 */

/** @type {Reader | null} */
let reader = null

/** Tells jumps of the open log. @param {Reader} own */
export function provideReader(own) {
  reader = own
  onScopeDispose(() => {
    if (reader === own) reader = null
  })
}

/**
 * Jumps to messages. Each jump is an entry of the browser's history, and the entry before it keeps the place that was shown,
 * so that Back, in the page or of the browser, leads there again.
 */
export function useJump() {
  const route = useRoute()
  const router = useRouter()

  /** @param {number} chatId @param {number} messageId */
  async function jump(chatId, messageId) {
    await closeAll()
    if (reader) history.replaceState({ ...history.state, place: reader.place() }, '')
    const to = { name: 'chat', params: { chatId }, query: { message: messageId }, state: { isJump: true } }
    const failure = await router.push(to)
    if (isNavigationFailure(failure, NavigationFailureType.duplicated)) reader?.show(messageId)
  }

  /** Whether a jump has led here. */
  const isJump = computed(() => Boolean(route.fullPath && history.state?.isJump))

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
