import { useResizeObserver } from '@vueuse/core'
import { computed, nextTick, onBeforeUpdate, onUpdated, ref } from 'vue'

/** As good as at the bottom. */
const BOTTOM_PX = 32
/** So near an end the next step is made. */
const NEAR_PX = 800

/**
 * The place of a reader in a log that changes: at the end it follows what comes, elsewhere what is before the eyes stays
 * there, whatever is put in or taken out around it. For use in the component whose update changes the log.
 *
 * @param {import('vue').Ref<HTMLElement | null>} log the element that scrolls; its children with `data-seq` are the messages
 * @param {object} options
 * @param {() => boolean} options.isAtEnd whether nothing comes after what is in the log
 * @param {() => void} options.onNearStart
 * @param {() => void} options.onNearEnd
 */
export function useScroller(log, { isAtEnd, onNearStart, onNearEnd }) {
  /** True while the reader is at the end of the chat, and follows it. */
  const follows = ref(false)
  /** The first and the last message before the reader's eyes, by `seq`. */
  const top = ref(/** @type {number | null} */ (null))
  const bottom = ref(/** @type {number | null} */ (null))
  /** Where the reader stays: the first message, `null` for the end of the chat. */
  const place = computed(() => (follows.value ? null : top.value))
  /** What is before the eyes, and how far from the top. @type {{ element: HTMLElement, top: number }[]} */
  let seen = []
  /** Between two places what is measured is of no use. */
  let isGoing = false
  /** How high the log and what is in it were, when that was looked at last. */
  let measured = ''

  const element = () => /** @type {HTMLElement} */ (log.value)

  /** The messages before the reader's eyes, from the top. */
  function visible() {
    const frame = element().getBoundingClientRect()
    const messages = /** @type {HTMLElement[]} */ ([...element().querySelectorAll('[data-seq]')])
    return messages
      .map((message) => ({ element: message, box: message.getBoundingClientRect() }))
      .filter(({ box }) => box.bottom > frame.top && box.top < frame.bottom)
      .map(({ element, box }) => ({ element, top: box.top - frame.top }))
  }

  /** @param {{ element: HTMLElement } | undefined} message */
  const seqOf = (message) => (message ? Number(message.element.dataset.seq) : null)

  function toBottom() {
    element().scrollTop = element().scrollHeight
  }

  function measure() {
    if (!log.value || isGoing) return
    // A keyboard came up, the composer has a line more, a quotation was loaded: who was at the end still is.
    const size = `${log.value.clientHeight} ${log.value.scrollHeight}`
    if (follows.value && size !== measured) toBottom()
    measured = size
    const { scrollTop, scrollHeight, clientHeight } = log.value
    const below = scrollHeight - clientHeight - scrollTop
    follows.value = below <= BOTTOM_PX && isAtEnd()
    const messages = visible()
    top.value = seqOf(messages.at(0))
    bottom.value = seqOf(messages.at(-1))
    if (scrollTop < NEAR_PX) onNearStart()
    if (below < NEAR_PX && !follows.value) onNearEnd()
  }

  onBeforeUpdate(() => {
    seen = log.value && !follows.value ? visible() : []
  })
  onUpdated(() => {
    if (!log.value) return
    const kept = seen.find(({ element }) => element.isConnected)
    if (follows.value) toBottom()
    else if (kept) {
      const moved =
        kept.element.getBoundingClientRect().top - log.value.getBoundingClientRect().top - kept.top
      if (moved) log.value.scrollTop += moved
    }
    measure()
  })

  const content = computed(() => /** @type {HTMLElement | null} */ (log.value?.firstElementChild))
  useResizeObserver([log, content], measure)

  /** Goes to the end, and follows it from now on. */
  async function goToEnd() {
    follows.value = true
    await nextTick()
    toBottom()
    measure()
  }

  /**
   * Brings an element before the eyes.
   *
   * @param {() => Promise<void>} bring puts it into the log
   * @param {() => HTMLElement | null | undefined} find once that is drawn
   * @param {number} share how much of the log is to be above it, from 0 to 1
   */
  async function goTo(bring, find, share) {
    follows.value = false
    isGoing = true
    await bring()
    await nextTick()
    isGoing = false
    const target = find()
    if (!target) return measure()
    const box = target.getBoundingClientRect()
    const frame = element().getBoundingClientRect()
    element().scrollTop += box.top - frame.top - Math.max(0, (frame.height - box.height) * share)
    measure()
  }

  return { follows, top, bottom, place, measure, goToEnd, goTo }
}
