/**
 * The part of a timeline that is in the page: so few messages that thousands of loaded ones cost nothing. It slides up
 * and down in steps, and loads more where the timeline ends.
 *
 * @typedef {ReturnType<typeof import('./timeline').createTimeline>} Timeline
 */

import { computed, ref } from 'vue'
import { indexOfSeq } from './stretch'

const FIRST = 80
const STEP = 30
const MOST = 200

/** @param {Timeline} timeline */
export function createSlice(timeline) {
  const { state } = timeline
  /** The `seq` of its first message. */
  const from = ref(0)
  /** The `seq` of its last message; Infinity: up to the end of what is loaded, also as that grows. */
  const to = ref(Infinity)

  const start = computed(() => indexOfSeq(state.messages, from.value))
  const end = computed(() => indexOfSeq(state.messages, to.value + 1))
  const messages = computed(() => state.messages.slice(start.value, end.value))
  /** The message before it, if that is loaded. */
  const previous = computed(() => state.messages[start.value - 1])
  /** True if nothing of the chat comes after it. */
  const isAtEnd = computed(() => to.value === Infinity && !state.hasAfter)
  /** True if nothing of the chat comes before it. */
  const isAtStart = computed(() => start.value === 0 && !state.hasBefore)

  /** @param {number} index */
  const seqAt = (index) => state.messages[Math.max(index, 0)]?.seq ?? 0

  /** @param {number} index of the message after the last */
  function endAt(index) {
    to.value = index >= state.messages.length ? Infinity : seqAt(index - 1)
  }

  /** The newest of what is loaded. */
  function showEnd() {
    to.value = Infinity
    from.value = seqAt(state.messages.length - FIRST)
  }

  /** What is on both sides of a message. @param {number} seq */
  function showAround(seq) {
    const index = indexOfSeq(state.messages, seq)
    from.value = seqAt(index - FIRST / 2)
    endAt(index + FIRST / 2)
  }

  /** A step up. */
  async function earlier() {
    if (start.value === 0) await timeline.loadBefore()
    if (start.value === 0) return
    from.value = seqAt(start.value - STEP)
    if (end.value - start.value > MOST) endAt(start.value + MOST)
  }

  /** A step down. */
  async function later() {
    if (to.value === Infinity) await timeline.loadAfter()
    else endAt(end.value + STEP)
    trimStart()
  }

  /** Lets go of the oldest, if there are too many; to be called while the reader is at the end. */
  function trimStart() {
    if (end.value - start.value > MOST) from.value = seqAt(end.value - MOST)
  }

  /** Stops growing with what arrives below the reader; scrolling down brings it. */
  function trimEnd() {
    if (end.value - start.value > 2 * MOST) endAt(start.value + MOST)
  }

  return { messages, previous, isAtStart, isAtEnd, showEnd, showAround, earlier, later, trimStart, trimEnd }
}
