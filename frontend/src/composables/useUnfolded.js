import { computed, reactive } from 'vue'

/** The ids of the long messages that the user has unfolded. They stay so while the page is open. @type {Set<number>} */
const unfolded = reactive(new Set())

/** Whether a message is unfolded, to be read and set. @param {() => number | undefined} messageId */
export function useUnfolded(messageId) {
  return computed({
    get: () => unfolded.has(messageId() ?? 0),
    set: (is) => (is ? unfolded.add(messageId() ?? 0) : unfolded.delete(messageId() ?? 0)),
  })
}

/** The ids of long messages that are never folded: the user has seen them grow. @type {Set<number>} */
const whole = new Set()

/** Whether a message may be folded. @param {number} messageId */
export const mayFold = (messageId) => !whole.has(messageId)

/** Has a message never be folded while the page is open; to be called before it is shown. @param {number} messageId */
export const keepWhole = (messageId) => void whole.add(messageId)

/** Unfolds a message, now or when it is shown. @param {number} messageId */
export const unfold = (messageId) => void unfolded.add(messageId)
