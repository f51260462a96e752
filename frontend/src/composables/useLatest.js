import { watch } from 'vue'
import { useChats } from '@/stores/chats'

/**
 * The list of chats shows the newest message as its room has it, also when that is edited or deleted.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useLatest(chatId, timeline) {
  const { state } = timeline
  const chats = useChats()
  // What is kept of an earlier look is older than what the list was told.
  const isNewest = () => state.status === 'live' && state.loaded && !state.hasAfter
  watch(
    () => isNewest() && [state.messages.at(-1) ?? null],
    (latest) => latest && chats.noteLatest(chatId, latest[0], timeline.position),
  )
}
