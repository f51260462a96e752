import { shallowReactive, watch } from 'vue'
import { MESSAGE_CHANGES, MESSAGE_EVENTS } from '@/events'
import api from '@/services/api'
import { onEvent } from './onEvent'

/** @typedef {import('@/types').Message} Message */

/**
 * The messages of a chat to which others reply, loaded in its timeline or not.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useQuotes(chatId, timeline) {
  /** Messages that are not in the timeline; null: deleted. @type {Map<number, Message | null>} */
  const fetched = shallowReactive(new Map())
  /** The ids of the messages that are being fetched. @type {Set<number>} */
  const pending = new Set()

  const changes = {
    /** Quotes show nothing of which a part changes by itself. */
    get: () => undefined,
    /** @param {Message} message */
    put(message) {
      if (fetched.get(message.id) || pending.has(message.id)) put(message)
    },
    /** @param {number} messageId */
    remove: (messageId) => void fetched.set(messageId, null),
  }
  for (const event of MESSAGE_EVENTS) {
    onEvent(event, (frame) => {
      if (frame.chat_id === chatId) MESSAGE_CHANGES[event](changes, frame)
    })
  }
  // After too long a break changes are not replayed: what was fetched before may be old.
  watch(
    () => timeline.state.status === 'loading',
    (isReload) => {
      if (isReload) for (const [id, message] of [...fetched]) if (message) fetched.delete(id)
    },
  )

  /** Keeps a message, unless a newer copy is known. @param {Message} message */
  function put(message) {
    const known = fetched.get(message.id)
    if (known === undefined || (known && known.changed_seq < message.changed_seq))
      fetched.set(message.id, message)
  }

  /** A message; null if it is deleted, undefined until it is fetched, which this starts. @param {number} messageId */
  function quoteOf(messageId) {
    void timeline.state.messages // a dependency: `get` and `isDeleted` change with it
    if (timeline.isDeleted(messageId)) return null
    const found = timeline.get(messageId) ?? fetched.get(messageId)
    if (found === undefined && !pending.has(messageId)) load(messageId)
    return found
  }

  /** @param {number} messageId */
  async function load(messageId) {
    pending.add(messageId)
    try {
      // The page around a deleted message exists, while a request for the message itself would fail.
      const { messages } = await api.get(`/chats/${chatId}/messages`, { around: messageId, limit: 1 })
      const message = messages.find((/** @type {Message} */ { id }) => id === messageId)
      if (message) put(message)
      else fetched.set(messageId, null)
    } catch (error) {
      // `invalid`: the chat has no such message. After other failures it is fetched when it is shown again.
      if (/** @type {import('@/types').Failure} */ (error).code === 'invalid') fetched.set(messageId, null)
    }
    pending.delete(messageId)
  }

  return { quoteOf }
}
