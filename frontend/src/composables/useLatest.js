import { watch } from 'vue'
import { useChats } from '@/stores/chats'

/**
 * Shows the newest message of an open chat in the list of chats, also after its edit or deletion.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useLatest(chatId, timeline) {
  const { state } = timeline
  const chats = useChats()
  // Before it is live, a timeline may be older than the list.
  const isNewest = () => state.status === 'live' && state.loaded && !state.hasAfter
  watch(
    () => isNewest() && [state.messages.at(-1) ?? null],
    (latest) => latest && chats.noteLatest(chatId, latest[0], timeline.position),
  )
}
