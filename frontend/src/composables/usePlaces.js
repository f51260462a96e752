import { computed, ref, watch } from 'vue'
import { indexOfSeq } from '@/timeline/stretch'

/** How much of the log is above what one goes to. */
const ABOVE_LINE = 0.15
const ABOVE_MESSAGE = 0.4

/**
 * The places of a chat one can be at: where it opens, its end, the unread line, any message; and how to get there.
 *
 * @param {object} house
 * @param {import('vue').Ref<HTMLElement | null>} house.log
 * @param {import('@/stores/timelines').Timeline} house.timeline
 * @param {ReturnType<typeof import('@/timeline/slice').createSlice>} house.slice
 * @param {ReturnType<typeof import('./useScroller').useScroller>} house.scroller
 * @param {ReturnType<typeof import('./useReading').useReading>} house.reading
 */
export function usePlaces({ log, timeline, slice, scroller, reading }) {
  const { state } = timeline
  const { firstUnread, isVisible } = reading
  /** What is shown once other messages have taken the place of all; nothing: what is around the reader. */
  let destination = /** @type {(() => void) | null} */ (null)

  function keepPlace() {
    if (scroller.follows.value && state.hasAfter) showMissed()
    else if (scroller.follows.value) slice.showEnd()
    else slice.showAround(scroller.place.value ?? 0)
  }
  watch(
    () => state.generation,
    () => (destination ?? keepPlace)(),
  )
  // If all has to be loaded anew, it is loaded there.
  watch(scroller.place, (seq) => {
    const message = seq && state.messages[indexOfSeq(state.messages, seq)]
    timeline.stayAt(message ? message.id : null)
  })

  /** Too much was missed to be told message by message: the reader goes on where that begins. */
  async function showMissed() {
    reading.drawLine()
    await goToLine()
  }

  /**
   * @param {() => Promise<void>} load
   * @param {() => void} show what the slice is to have
   */
  async function bring(load, show) {
    destination = show
    await load()
    destination = null
    show()
  }

  async function goToEnd() {
    await bring(timeline.showLatest, slice.showEnd)
    await scroller.goToEnd()
  }

  /**
   * @param {{ id: number, seq?: number }} message `seq`: if it is not loaded that is where it was
   * @param {string} selector what is to be seen, `SEQ` standing for that of the message
   * @param {number} share
   */
  async function goTo({ id, seq = 0 }, selector, share) {
    const place = () => timeline.get(id)?.seq ?? seq
    const find = () =>
      /** @type {HTMLElement | null} */ (log.value?.querySelector(selector.replace('SEQ', `${place()}`)))
    const arrive = () => slice.showAround(place())
    await scroller.goTo(() => bring(() => timeline.show(id), arrive), find, share)
    return find()
  }

  /** To the unread line. */
  async function goToLine() {
    if (firstUnread.value) await goTo(firstUnread.value, '[data-unread]', ABOVE_LINE)
  }

  /** @param {number} messageId */
  async function goToMessage(messageId) {
    const found = await goTo({ id: messageId }, '[data-seq="SEQ"]', ABOVE_MESSAGE)
    found?.focus({ preventScroll: true })
    found?.classList.add('flash')
    found?.addEventListener('animationend', () => found.classList.remove('flash'), { once: true })
  }

  const hasSeenLine = ref(false)
  watch(firstUnread, () => (hasSeenLine.value = false))
  watch([scroller.top, scroller.bottom], ([top, bottom]) => {
    const seq = firstUnread.value?.seq
    if (seq && top && bottom && top <= seq && seq <= bottom) hasSeenLine.value = isVisible.value
  })
  /** True while there is an unread line above that nobody has seen. */
  const isLineAbove = computed(() => {
    const seq = firstUnread.value?.seq
    return seq !== undefined && !hasSeenLine.value && (scroller.top.value ?? 0) > seq
  })
  // Whoever comes back to the tab begins where he left, before the end counts as read.
  watch(isVisible, () => isVisible.value && isLineAbove.value && goToLine(), { flush: 'sync' })

  return { isLineAbove, goToEnd, goToLine, goToMessage }
}
