/**
 * The part of a timeline that is in the page: at most a few hundred elements, however many messages are loaded. It moves
 * up and down in steps and loads a page where the loaded messages end.
 */

import { computed, ref } from 'vue'
import { indexOfSeq } from './messageWindow'

/** All of these count messages. */
const FIRST = 80
const STEP = 20
const MAX = 200

/** @param {import('@/stores/timelines').Timeline} timeline */
export function createViewport(timeline) {
  const { state } = timeline
  /** The `seq` of the first message in the viewport. */
  const from = ref(0)
  /** The `seq` of the last message in the viewport; Infinity: the newest loaded message, whichever that is. */
  const to = ref(Infinity)

  const start = computed(() => indexOfSeq(state.messages, from.value))
  const end = computed(() => indexOfSeq(state.messages, to.value + 1))
  const messages = computed(() => state.messages.slice(start.value, end.value))
  /** The message before the viewport, if it is loaded. */
  const previous = computed(() => state.messages[start.value - 1])
  /** Whether the viewport reaches to the end of the chat. */
  const isAtEnd = computed(() => to.value === Infinity && !state.hasAfter)
  /** Whether the viewport reaches to the beginning of the chat. */
  const isAtStart = computed(() => start.value === 0 && !state.hasBefore)

  /** @param {number} index */
  const seqAt = (index) => state.messages[Math.max(index, 0)]?.seq ?? 0

  /** @param {number} index of the message after the last one */
  function endAt(index) {
    to.value = index >= state.messages.length ? Infinity : seqAt(index - 1)
  }

  /** Shows the newest loaded messages. */
  function showEnd() {
    to.value = Infinity
    from.value = seqAt(state.messages.length - FIRST)
  }

  /** Shows the messages on both sides of one. @param {number} seq */
  function showAround(seq) {
    const index = indexOfSeq(state.messages, seq)
    from.value = seqAt(index - FIRST / 2)
    endAt(index + FIRST / 2)
  }

  /** Moves up by a step. */
  async function earlier() {
    if (start.value === 0) await timeline.loadBefore()
    if (start.value === 0) return
    from.value = seqAt(start.value - STEP)
    if (end.value - start.value > MAX) endAt(start.value + MAX)
  }

  /** Moves down by a step. */
  async function later() {
    if (to.value === Infinity) await timeline.loadAfter()
    else endAt(end.value + STEP)
    trimStart()
  }

  /** Removes the oldest messages above the maximum. To be called while the user is at the end. */
  function trimStart() {
    if (end.value - start.value > MAX) from.value = seqAt(end.value - MAX)
  }

  /** Stops growing with messages that arrive below what the user reads; scrolling down shows them. */
  function trimEnd() {
    if (end.value - start.value > 2 * MAX) endAt(start.value + MAX)
  }

  return { messages, previous, isAtStart, isAtEnd, showEnd, showAround, earlier, later, trimStart, trimEnd }
}
