import { useTimeoutFn } from '@vueuse/core'
import { computed, ref, watch } from 'vue'
import { indexOfSeq } from '@/timeline/messageWindow'

/** How much of the log is above the target, from 0 to 1. */
const ABOVE_LINE = 0.15
const ABOVE_MESSAGE = 0.4
/** How long a message stays marked that the user has gone to. */
const MARKED_MS = 4_000

/**
 * Goes to the end of a chat, its unread line or a message, and keeps the reader's anchor when all messages are replaced.
 *
 * @param {object} options
 * @param {import('vue').Ref<HTMLElement | null>} options.log
 * @param {import('@/stores/timelines').Timeline} options.timeline
 * @param {ReturnType<typeof import('@/timeline/viewport').createViewport>} options.viewport
 * @param {ReturnType<typeof import('./useScroller').useScroller>} options.scroller
 * @param {ReturnType<typeof import('./useReading').useReading>} options.reading
 */
export function useLogNavigation({ log, timeline, viewport, scroller, reading }) {
  const { state } = timeline
  const { firstUnread, isVisible } = reading
  /** Shows the target of the navigation that is loading; null: there is none. */
  let showTarget = /** @type {(() => void) | null} */ (null)

  function keepAnchor() {
    if (scroller.follows.value && state.hasAfter) showMissed()
    else if (scroller.follows.value) viewport.showEnd()
    else viewport.showAround(scroller.anchor.value ?? 0)
  }
  watch(
    () => state.resets,
    () => (showTarget ?? keepAnchor)(),
  )
  // If all messages have to be loaded anew, they are loaded around the anchor.
  watch(scroller.anchor, (seq) => {
    const message = seq && state.messages[indexOfSeq(state.messages, seq)]
    timeline.stayAt(message ? message.id : null)
  })

  /** Too much was missed for a replay: the reader goes on where that begins. */
  async function showMissed() {
    reading.drawLine()
    await goToLine()
  }

  /**
   * @param {() => Promise<void>} load
   * @param {() => void} show moves the viewport
   */
  async function bring(load, show) {
    showTarget = show
    await load()
    showTarget = null
    show()
  }

  async function goToEnd() {
    await bring(timeline.showLatest, viewport.showEnd)
    await scroller.goToEnd()
  }

  /**
   * @param {{ id: number, seq?: number }} message `seq`: its position, in case it is not loaded
   * @param {string} selector of the element to scroll to, with `SEQ` in place of the message's `seq`
   * @param {number | { top: number }} at see `useScroller`
   */
  async function goTo({ id, seq = 0 }, selector, at) {
    const target = () => timeline.get(id)?.seq ?? seq
    const find = () =>
      /** @type {HTMLElement | null} */ (log.value?.querySelector(selector.replace('SEQ', `${target()}`)))
    const { resets } = state
    const show = () => {
      const middle = state.messages[state.messages.length >> 1]?.seq ?? 0
      // The messages around a deleted one are loaded. Of a message that the chat never had, nothing is.
      if (target() || state.resets !== resets) viewport.showAround(target() || middle)
    }
    await scroller.goTo(() => bring(() => timeline.show(id), show), find, at)
    return find()
  }

  /** Goes to the unread line. */
  async function goToLine() {
    if (firstUnread.value) await goTo(firstUnread.value, '[data-unread]', ABOVE_LINE)
  }

  /** The message that is marked. @type {HTMLElement | null} */
  let marked = null
  /** Goes to a message and marks it. Resolves to false if it is not there. @param {number} messageId */
  async function goToMessage(messageId) {
    const found = await goTo({ id: messageId }, '[data-seq="SEQ"]', ABOVE_MESSAGE)
    if (!found) return false
    unmark()
    found.focus({ preventScroll: true })
    found.dataset.marked = ''
    marked = found
    unmarkSoon()
    return true
  }

  function unmark() {
    delete marked?.dataset.marked
    marked = null
  }
  const { start: unmarkSoon } = useTimeoutFn(unmark, MARKED_MS, { immediate: false })

  /** Goes to where the reader was before. Resolves to whether that is still there. @param {import('@/stores/places').Place} place */
  async function goToPlace(place) {
    return Boolean(await goTo(place, '[data-seq="SEQ"]', { top: place.top }))
  }

  const hasSeenLine = ref(false)
  watch(firstUnread, () => (hasSeenLine.value = false))
  watch([scroller.top, scroller.bottom], ([top, bottom]) => {
    const seq = firstUnread.value?.seq
    if (seq && top && bottom && top <= seq && seq <= bottom) hasSeenLine.value = isVisible.value
  })
  /** Whether the unread line is above the visible messages and was not visible yet. */
  const isLineAbove = computed(() => {
    const seq = firstUnread.value?.seq
    return seq !== undefined && !hasSeenLine.value && (scroller.top.value ?? 0) > seq
  })
  // A user who comes back to the tab sees the line before the end of the chat counts as read.
  watch(isVisible, () => isVisible.value && isLineAbove.value && goToLine(), { flush: 'sync' })

  return { isLineAbove, goToEnd, goToLine, goToMessage, goToPlace }
}
