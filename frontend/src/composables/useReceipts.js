import { computed, onScopeDispose, shallowReactive, watchEffect } from 'vue'
import websocket from '@/services/websocket'
import { useChats } from '@/stores/chats'
import { useSession } from '@/stores/session'

/**
 * How far others have read a chat: the `seq` up to which at least one of them has.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useReceipts(chatId, timeline) {
  const chats = useChats()
  const session = useSession()
  /** How far each was seen to have read, by user: marks do not go back. @type {Map<number, number>} */
  const read = shallowReactive(new Map())
  /** Marks of an older server, by user: messages whose `seq` is known once they are loaded. @type {Map<number, number>} */
  const marks = shallowReactive(new Map())

  /** @param {number} userId @param {{ seq?: number | null, messageId?: number | null }} mark */
  function note(userId, { seq, messageId }) {
    const known = seq ?? (messageId ? timeline.get(messageId)?.seq : 0)
    if (known !== undefined) {
      read.set(userId, Math.max(known, read.get(userId) ?? 0))
      marks.delete(userId)
    } else if (messageId) marks.set(userId, messageId)
  }

  const unsubscribe = websocket.on('messages_read', ({ chat_id, user_id, up_to, read_seq }) => {
    if (chat_id === chatId) note(user_id, { seq: read_seq, messageId: up_to })
  })
  onScopeDispose(unsubscribe)

  const others = computed(() =>
    (chats.members(chatId) ?? []).filter(({ user }) => user.id !== session.userId),
  )
  watchEffect(() => {
    for (const { user, read_seq, last_read_message_id } of others.value)
      note(user.id, { seq: read_seq, messageId: last_read_message_id })
  })
  watchEffect(() => {
    void timeline.state.messages // where a mark is can be told once its message is loaded
    for (const [userId, messageId] of [...marks]) if (timeline.get(messageId)) note(userId, { messageId })
  })

  const readSeq = computed(() => Math.max(0, ...others.value.map(({ user }) => read.get(user.id) ?? 0)))
  return { readSeq }
}
