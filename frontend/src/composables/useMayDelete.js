import { computed } from 'vue'
import { useTimelines } from '@/stores/timelines'
import { isOneSided } from '@/timeline/writers'

/**
 * Whether the user may delete a chat, as far as the client knows: its owner may, but for a private chat in which both
 * have written.
 *
 * @param {() => import('@/types').Chat | undefined} chat
 */
export function useMayDelete(chat) {
  const timelines = useTimelines()
  return computed(() => {
    const { id, role, chat_type: type } = chat() ?? {}
    return role === 'owner' && (type !== 'private' || isOneSided(timelines.get(Number(id))?.state))
  })
}
