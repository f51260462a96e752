import { ref, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { useJump } from './useJump'
import { useNotices } from './useNotices'

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

  /**
   * Goes to a message. Resolves to false if it is not there.
   *
   * @param {number} messageId
   * @param {boolean} [isPlace] whether the user was there before: then it is at the top and not marked
   */
  async function open(messageId, isPlace = false) {
    isGoing = true
    const isThere = await (isPlace ? navigation.goToPlace : navigation.goToMessage)(messageId)
    isGoing = false
    if (!isThere && !isPlace && !state.error) notify(t('chat.messageGone'))
    if (!isThere && scroller.follows.value) isBackOffered.value = false
    return isThere
  }

  /**
   * Goes to a message, or to those around it if it is deleted.
   *
   * @param {number | null} messageId null: the end of the chat
   * @param {boolean} [isPlace]
   */
  async function show(messageId, isPlace) {
    if (messageId === null) await navigation.goToEnd()
    else await open(messageId, isPlace)
  }

  return {
    isBackOffered,
    back,
    open,
    show,
    /** The id of the message at the top, null at the end of the chat. */
    place: () => state.messages.find(({ seq }) => seq === scroller.anchor.value)?.id ?? null,
  }
}
