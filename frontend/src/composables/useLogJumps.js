import { ref, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { indexOfSeq } from '@/timeline/messageWindow'
import { useJump } from './useJump'
import { useNotices } from './useNotices'

/** @typedef {import('@/stores/places').Place} Place */

/**
 * Shows the messages to which jumps lead, and the places from which they have come.
 *
 * @param {object} options
 * @param {import('@/stores/timelines').Timeline} options.timeline
 * @param {ReturnType<typeof import('./useLogNavigation').useLogNavigation>} options.navigation
 * @param {ReturnType<typeof import('./useScroller').useScroller>} options.scroller
 */
export function useLogJumps({ timeline, navigation, scroller }) {
  const { t } = useI18n()
  const { notify } = useNotices()
  const { isJump, back } = useJump()
  const router = useRouter()
  const { state } = timeline
  /** Whether the way back is offered: from a jump until the end is reached in another way. */
  const isBackOffered = ref(false)
  let isGoing = false

  watch(router.currentRoute, () => (isBackOffered.value = isJump.value), { immediate: true })
  watch(
    scroller.follows,
    (isAtEnd) => {
      if (isAtEnd && !isGoing) isBackOffered.value = false
    },
    { flush: 'sync' },
  )

  /** Goes to a message. Resolves to whether it is there; else the user is told. @param {number} messageId */
  async function show(messageId) {
    const isThere = await going(navigation.goToMessage(messageId))
    if (isThere || state.error) return isThere
    if (scroller.follows.value) isBackOffered.value = false
    notify(t('chat.messageGone'))
    return false
  }

  /** Goes to where the user was. @param {Place | null} place null: the end of the chat */
  async function restore(place) {
    if (place) await going(navigation.goToPlace(place))
    else await navigation.goToEnd()
  }

  /** @template T @param {Promise<T>} navigating */
  async function going(navigating) {
    isGoing = true
    try {
      return await navigating
    } finally {
      isGoing = false
    }
  }

  /** @param {number} seq */
  const messageOf = (seq) => state.messages[indexOfSeq(state.messages, seq)]

  /** Where the reader is; null: at the end of the chat. @returns {Place | null} */
  function place() {
    const at = scroller.follows.value ? null : scroller.place()
    const message = at && messageOf(at.seq)
    return at && message ? { ...at, id: message.id } : null
  }

  /** The time of the first visible message; null: there is none. */
  const topTime = () => (scroller.top.value && messageOf(scroller.top.value)?.created_at) || null

  return { isBackOffered, back, show, restore, place, topTime }
}
