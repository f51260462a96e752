import { onScopeDispose, shallowReactive, watch } from 'vue'
import api from '@/services/api'
import websocket from '@/services/websocket'

/** @typedef {import('@/timeline/messageWindow').Message} Message */

/**
 * The messages of a chat that others answer to, loaded or not.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useQuotes(chatId, timeline) {
  /** Those that are not in the timeline; null: deleted, for good. @type {Map<number, Message | null>} */
  const fetched = shallowReactive(new Map())
  /** @type {Set<number>} those that are asked for */
  const wanted = new Set()

  const unsubscribes = [
    websocket.on('message_deleted', ({ chat_id, message_id }) => {
      if (chat_id === chatId) fetched.set(message_id, null)
    }),
    websocket.on('message_updated', ({ chat_id, message }) => {
      if (chat_id === chatId && message && (fetched.get(message.id) || wanted.has(message.id))) put(message)
    }),
  ]
  onScopeDispose(() => unsubscribes.forEach((unsubscribe) => unsubscribe()))
  // Too much was missed to be told message by message: what was fetched before may be old.
  watch(
    () => timeline.state.status === 'loading',
    (isAnew) => {
      if (isAnew) for (const [id, message] of [...fetched]) if (message) fetched.delete(id)
    },
  )

  /** Takes in a message, unless something newer is known. @param {Message} message */
  function put(message) {
    const known = fetched.get(message.id)
    if (known === undefined || (known && known.changed_seq < message.changed_seq))
      fetched.set(message.id, message)
  }

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
      // The page around its place is there for a deleted message too; asked for by itself, that would be an error.
      const { messages } = await api.get(`/chats/${chatId}/messages`, { around: messageId, limit: 1 })
      const message = messages.find((/** @type {Message} */ { id }) => id === messageId)
      if (message) put(message)
      else fetched.set(messageId, null)
      wanted.delete(messageId)
    } catch (error) {
      // No such message, of this chat at least; else it is asked for when it is shown again.
      if (/** @type {any} */ (error).code === 'invalid') fetched.set(messageId, null)
      wanted.delete(messageId)
    }
  }

  return { quoteOf }
}
