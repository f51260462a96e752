import { shallowReactive } from 'vue'
import api, { ApiError } from '@/services/api'

/** @typedef {import('@/timeline/stretch').Message} Message */

/**
 * The messages of a chat that others answer to, loaded or not.
 *
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useQuotes(timeline) {
  /** Those that are not in the timeline; null: deleted. @type {Map<number, Message | null>} */
  const fetched = shallowReactive(new Map())
  /** @type {Set<number>} */
  const wanted = new Set()

  /** A message; null if it is deleted, undefined until that is known. @param {number} messageId */
  function quoteOf(messageId) {
    void timeline.state.messages // what is asked for changes with it
    if (timeline.isDeleted(messageId)) return null
    const found = timeline.get(messageId) ?? fetched.get(messageId)
    if (found === undefined && !wanted.has(messageId)) load(messageId)
    return found
  }

  /** @param {number} messageId */
  async function load(messageId) {
    wanted.add(messageId)
    try {
      fetched.set(messageId, await api.get(`/messages/${messageId}`))
    } catch (error) {
      if (error instanceof ApiError && error.code === 'not_found') fetched.set(messageId, null)
      else wanted.delete(messageId)
    }
  }

  return { quoteOf }
}
