import { computed } from 'vue'
import { useOutbox } from '@/stores/outbox'
import { useSession } from '@/stores/session'
import { rowsOf } from '@/timeline/rows'
import { useStreams } from './useStreams'

/**
 * The rows of an open chat: its messages and, at its end, what the user is sending and what others are writing.
 *
 * @param {number} chatId
 * @param {ReturnType<typeof import('@/timeline/viewport').createViewport>} viewport
 * @param {ReturnType<typeof import('./useReading').useReading>} reading
 */
export function useRows(chatId, viewport, reading) {
  const outbox = useOutbox()
  const session = useSession()
  const { streams, shown } = useStreams(chatId)
  return computed(() =>
    rowsOf(viewport.messages.value, {
      entries: viewport.isAtEnd.value ? outbox.entriesOf(chatId) : [],
      streams: viewport.isAtEnd.value ? streams : undefined,
      shown,
      ownId: session.userId,
      previous: viewport.previous.value,
      unreadFrom: reading.firstUnread.value?.seq ?? null,
    }),
  )
}
