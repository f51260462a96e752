import { computed, onScopeDispose, shallowReactive } from 'vue'
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
  /** The marks that were moved meanwhile, by user: the id of a message. @type {Map<number, number>} */
  const moved = shallowReactive(new Map())

  const unsubscribe = websocket.on('messages_read', ({ chat_id, user_id, up_to }) => {
    if (chat_id === chatId && up_to) moved.set(user_id, up_to)
  })
  onScopeDispose(unsubscribe)

  const readSeq = computed(() => {
    void timeline.state.messages // where a mark is can be told once its message is loaded
    const others = (chats.members(chatId) ?? []).filter(({ user }) => user.id !== session.userId)
    const marks = others.map((member) => moved.get(member.user.id) ?? member.last_read_message_id)
    return Math.max(0, ...marks.map((id) => timeline.get(id)?.seq ?? 0))
  })
  return { readSeq }
}
