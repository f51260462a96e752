import { computed, shallowReactive, watchEffect } from 'vue'
import { useChats } from '@/stores/chats'
import { useSession } from '@/stores/session'
import { onEvent } from './onEvent'

/**
 * How far the other members have read a chat: `readSeq` is the highest `seq` up to which at least one of them has.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useReceipts(chatId, timeline) {
  const chats = useChats()
  const session = useSession()
  /** The highest known position of each member's mark, by user id: marks never go back. @type {Map<number, number>} */
  const read = shallowReactive(new Map())
  /** Marks of an older server, by user id: messages that are not loaded yet. @type {Map<number, number>} */
  const unplaced = shallowReactive(new Map())

  /** @param {number} userId @param {{ seq?: number | null, messageId?: number | null }} mark */
  function note(userId, { seq, messageId }) {
    const known = seq ?? (messageId ? timeline.get(messageId)?.seq : 0)
    if (known !== undefined) {
      read.set(userId, Math.max(known, read.get(userId) ?? 0))
      unplaced.delete(userId)
    } else if (messageId) unplaced.set(userId, messageId)
  }

  onEvent('messages_read', ({ chat_id, user_id, up_to, read_seq }) => {
    if (chat_id === chatId) note(user_id, { seq: read_seq, messageId: up_to })
  })

  const others = computed(() =>
    (chats.members(chatId) ?? []).filter(({ user }) => user.id !== session.userId),
  )
  watchEffect(() => {
    for (const { user, read_seq, last_read_message_id } of others.value)
      note(user.id, { seq: read_seq, messageId: last_read_message_id })
  })
  watchEffect(() => {
    void timeline.state.messages // a mark gets its position when its message is loaded
    for (const [userId, messageId] of [...unplaced]) if (timeline.get(messageId)) note(userId, { messageId })
  })

  const readSeq = computed(() => Math.max(0, ...others.value.map(({ user }) => read.get(user.id) ?? 0)))

  /**
   * The members who have read a message, and those who have not, without its sender and the user.
   *
   * @param {Pick<import('@/types').Message, 'seq' | 'sender_id'>} message
   */
  function readersOf({ seq, sender_id }) {
    const asked = others.value.filter(({ user }) => user.id !== sender_id)
    const hasRead = (/** @type {import('@/types').Member} */ { user }) => (read.get(user.id) ?? 0) >= seq
    return { read: asked.filter(hasRead), unread: asked.filter((member) => !hasRead(member)) }
  }

  return { readSeq, readersOf }
}
