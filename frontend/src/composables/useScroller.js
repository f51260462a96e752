import { useResizeObserver } from '@vueuse/core'
import { computed, nextTick, onBeforeUpdate, onUpdated, ref } from 'vue'

/** This near the bottom counts as at the bottom. */
const BOTTOM_PX = 32
/** This near an end the viewport moves by a step. */
const NEAR_PX = 800

/**
 * Keeps a reader's position in a log that changes. At the end it follows new messages; elsewhere the visible messages
 * stay where they are, whatever is added or removed around them. For the component whose update changes the log.
 *
 * @param {import('vue').Ref<HTMLElement | null>} log the element that scrolls; the messages in it have `data-seq`
 * @param {object} options
 * @param {() => boolean} options.isAtEnd whether the log's last message is the last of the chat
 * @param {() => void} options.onNearStart
 * @param {() => void} options.onNearEnd
 */
export function useScroller(log, { isAtEnd, onNearStart, onNearEnd }) {
  /** True while the reader is at the end of the chat and follows it. */
  const follows = ref(false)
  /** The `seq` of the first and of the last visible message. */
  const top = ref(/** @type {number | null} */ (null))
  const bottom = ref(/** @type {number | null} */ (null))
  /** The `seq` of the message at which the reader stays; null: the end of the chat. */
  const anchor = computed(() => (follows.value ? null : top.value))
  /** The visible messages before an update, with their distances from the top. @type {{ element: HTMLElement, top: number }[]} */
  let visibleBefore = []
  /** True during `goTo`, when measurements mean nothing. */
  let isGoing = false
  /** The sizes of the log and of its content at the last measurement. */
  let measured = ''
  /** Where the log began in the window at the last measurement. */
  let frameTop = /** @type {number | null} */ (null)
  /** The first visible message at the last measurement, and where the log was scrolled to. @type {{ element: HTMLElement, top: number } | undefined} */
  let first = undefined
  let scrolled = 0

  const element = () => /** @type {HTMLElement} */ (log.value)

  /** The visible messages, from the top. */
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
    const size = `${log.value.clientWidth} ${log.value.clientHeight} ${log.value.scrollHeight}`
    if (size !== measured) settle()
    measured = size
    keepBelow()
    const { scrollTop, scrollHeight, clientHeight } = log.value
    const below = scrollHeight - clientHeight - scrollTop
    follows.value = below <= BOTTOM_PX && isAtEnd()
    const messages = visible()
    first = messages.at(0)
    scrolled = log.value.scrollTop
    top.value = seqOf(first)
    bottom.value = seqOf(messages.at(-1))
    if (scrollTop < NEAR_PX) onNearStart()
    if (below < NEAR_PX && !follows.value) onNearEnd()
  }

  /**
   * After a change of size (keyboard, composer, a quote that was loaded, lines that break elsewhere) a reader at the end
   * stays there, and for others the first visible message stays where it is, as far as they have not scrolled.
   */
  function settle() {
    if (follows.value) return toBottom()
    if (first) putBack({ ...first, top: first.top - (element().scrollTop - scrolled) })
  }

  /** When something above the log comes or goes, such as the bar of the pinned messages, what is visible stays in place. */
  function keepBelow() {
    const { top } = element().getBoundingClientRect()
    if (!follows.value && frameTop !== null) element().scrollTop += top - frameTop
    frameTop = top
  }

  onBeforeUpdate(() => {
    visibleBefore = log.value && !follows.value ? visible() : []
  })
  onUpdated(() => {
    if (!log.value) return
    if (follows.value) toBottom()
    else putBack(visibleBefore.find(({ element }) => element.isConnected))
    first = undefined
    measure()
  })

  /** Scrolls so that a message is where it was. @param {{ element: HTMLElement, top: number } | undefined} message */
  function putBack(message) {
    if (!message?.element.isConnected) return
    const moved =
      message.element.getBoundingClientRect().top - element().getBoundingClientRect().top - message.top
    if (Math.abs(moved) >= 1) element().scrollTop += moved
  }

  const content = computed(() => /** @type {HTMLElement | null} */ (log.value?.firstElementChild))
  useResizeObserver([log, content], measure)

  /** The first visible message and how far its top is below that of the log; null: there is none. */
  function place() {
    const [message] = log.value ? visible() : []
    return message ? { seq: Number(message.element.dataset.seq), top: message.top } : null
  }

  /** Goes to the end, and follows it from then on. */
  async function goToEnd() {
    follows.value = true
    await nextTick()
    toBottom()
    measure()
  }

  /**
   * Scrolls to an element.
   *
   * @param {() => Promise<void>} bring puts it into the log
   * @param {() => HTMLElement | null | undefined} find called once it is rendered
   * @param {number | { top: number }} at how much of the log is to be above it, from 0 to 1, or how many pixels
   */
  async function goTo(bring, find, at) {
    follows.value = false
    isGoing = true
    await bring()
    await nextTick()
    isGoing = false
    first = undefined
    const target = find()
    if (!target) return measure()
    const box = target.getBoundingClientRect()
    const frame = element().getBoundingClientRect()
    frameTop = frame.top
    const above = typeof at === 'number' ? Math.max(0, (frame.height - box.height) * at) : at.top
    element().scrollTop += box.top - frame.top - above
    measure()
  }

  return { follows, top, bottom, anchor, measure, place, goToEnd, goTo }
}
