import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import websocket from '@/services/websocket'
import { useChats } from '@/stores/chats'
import { useSession } from '@/stores/session'
import { indexOfSeq } from '@/timeline/stretch'
import { useVisibility } from './useVisibility'

const RECOUNT_MS = 500

/**
 * What of an open chat is read: the mark moves when its end is before somebody's eyes, and only then. The line before
 * the first unread message stays where it is while one reads; it is drawn anew when something comes unseen after all
 * was read.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 * @param {import('vue').Ref<boolean>} isAtEnd whether the end of the chat is shown
 */
export function useReading(chatId, timeline, isAtEnd) {
  const chats = useChats()
  const session = useSession()
  const isVisible = useVisibility()
  const { state } = timeline
  /** All up to this `seq` is read; null: not known, the mark is not in what is loaded. */
  const readSeq = ref(/** @type {number | null} */ (null))
  /** The message that has the line before it. */
  const firstUnread = shallowRef(/** @type {import('@/timeline/stretch').Message | null} */ (null))
  let isTelling = false

  const chat = computed(() => chats.get(chatId))
  const isByOther = (/** @type {{ sender_id: number }} */ message) => message.sender_id !== session.userId

  /** How many are unread, where what is loaded can tell. */
  const unread = computed(() => {
    if (readSeq.value === null || state.hasAfter) return null
    const index = indexOfSeq(state.messages, readSeq.value + 1)
    if (!index && state.hasBefore) return null
    return state.messages.slice(index).filter(isByOther).length
  })

  /** Takes the mark and draws the line, once the first page is there. */
  function begin() {
    const { last_read_message_id, unread_count } = chat.value
    const mark = timeline.get(last_read_message_id)
    const others = state.messages.filter(isByOther)
    if (mark) readSeq.value = mark.seq
    else if (state.hasAfter)
      readSeq.value = (state.messages[0]?.seq ?? 1) - 1 // the page begins after the mark
    else if (unread_count <= others.length) {
      const first = unread_count ? others.at(-unread_count) : undefined
      readSeq.value = first ? first.seq - 1 : (state.messages.at(-1)?.seq ?? 0)
    }
    if (readSeq.value !== null && unread_count) drawLine()
  }

  function drawLine() {
    const after = state.messages.slice(indexOfSeq(state.messages, /** @type {number} */ (readSeq.value) + 1))
    firstUnread.value = after.find(isByOther) ?? null
  }

  const canRead = computed(() => isAtEnd.value && isVisible.value && state.status === 'live')
  const newest = computed(() => state.messages.at(-1) ?? null)

  /** Tells the server, one message after another. */
  async function tell() {
    while (canRead.value && newest.value && unread.value !== 0) {
      const { id, seq } = newest.value
      if (readSeq.value !== null && seq <= readSeq.value) return
      try {
        const ack = await websocket.request({ type: 'read_messages', chat_id: chatId, up_to: id })
        readSeq.value = Math.max(seq, readSeq.value ?? 0)
        Object.assign(chat.value ?? {}, { last_read_message_id: ack.up_to })
        chats.noteRead(chatId, ack.unread_count)
      } catch {
        return // with the next message, or the next connection
      }
    }
  }

  watch([canRead, newest], async () => {
    if (isTelling) return
    isTelling = true
    await tell()
    isTelling = false
  })

  // What is counted here is more exact than what was told before, in whichever order it came. What is before somebody's
  // eyes is not shown as unread while the server is being told.
  watch([unread, canRead, () => chat.value?.unread_count], ([count, reads, shown]) => {
    const right = count && reads ? 0 : count
    if (right !== null && shown !== undefined && right !== shown) chats.noteRead(chatId, right)
  })

  let recount = /** @type {any} */ (undefined)
  const unsubscribes = [
    timeline.onArrival((message, { missed }) => {
      if (!isByOther(message)) return
      if (unread.value === 1 && (missed || !canRead.value)) firstUnread.value = message
      if (unread.value !== null) return
      clearTimeout(recount)
      recount = setTimeout(() => chats.fetch(chatId).catch(() => {}), RECOUNT_MS)
    }),
    websocket.on('messages_read', ({ chat_id, user_id, up_to }) => {
      if (chat_id !== chatId || user_id !== session.userId) return
      const seq = timeline.get(up_to)?.seq
      if (seq && readSeq.value !== null) readSeq.value = Math.max(readSeq.value, seq)
      else chats.fetch(chatId).catch(() => {})
    }),
  ]
  onScopeDispose(() => {
    clearTimeout(recount)
    for (const unsubscribe of unsubscribes) unsubscribe()
  })

  return { firstUnread, isVisible, begin }
}
