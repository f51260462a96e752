import { useDocumentVisibility, useTimeoutFn } from '@vueuse/core'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import websocket from '@/services/websocket'
import { useChats } from '@/stores/chats'
import { useSession } from '@/stores/session'
import { indexOfSeq } from '@/timeline/messageWindow'

const RECOUNT_MS = 500

/**
 * Where the mark of a chat is, by `seq`; 0: nothing is read; null: that cannot be told.
 *
 * @param {any} chat
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function markOf({ read_seq, last_read_message_id }, timeline) {
  if (read_seq !== undefined && read_seq !== null) return read_seq
  // An older server: its marks are messages, which need not be loaded.
  return last_read_message_id ? (timeline.get(last_read_message_id)?.seq ?? null) : 0
}

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
  const visibility = useDocumentVisibility()
  const isVisible = computed(() => visibility.value === 'visible')
  const { state } = timeline
  /** All up to this `seq` is read; null: not known, so nothing may be said to be read. */
  const readSeq = ref(/** @type {number | null} */ (null))
  /** The message that has the line before it. */
  const firstUnread = shallowRef(/** @type {import('@/timeline/messageWindow').Message | null} */ (null))
  let isTelling = false

  const chat = computed(() => chats.get(chatId))
  const isByOther = (/** @type {{ sender_id: number }} */ message) => message.sender_id !== session.userId

  /** How many are unread, where what is loaded can tell. */
  const unread = computed(() => {
    const { messages, hasAfter } = state
    if (readSeq.value === null || hasAfter || !timeline.reaches(readSeq.value)) return null
    return messages.slice(indexOfSeq(messages, readSeq.value + 1)).filter(isByOther).length
  })

  /**
   * Takes the mark and draws the line, once the first page is there.
   *
   * @param {object} options
   * @param {boolean} [options.reachesBack] the line is wanted: what is loaded is to reach back to it
   */
  async function begin({ reachesBack = true } = {}) {
    const { unread_count } = chat.value
    readSeq.value = markOf(chat.value, timeline)
    if (unread_count && readSeq.value !== null && reachesBack) await timeline.reachBack(readSeq.value)
    if (readSeq.value === null && reachesBack) await loadOthers(unread_count)
    readSeq.value ??= seqByCount(unread_count)
    const isThere = readSeq.value !== null && (reachesBack || timeline.reaches(readSeq.value))
    if (unread_count && isThere) drawLine()
  }

  /** Loads until so many messages by others are there, and so the first unread one. @param {number} count */
  async function loadOthers(count) {
    const isEnough = () => !state.hasBefore || state.messages.filter(isByOther).length >= count
    while (!state.hasAfter && !isEnough() && !state.error && !state.loading) await timeline.loadBefore()
  }

  /** Where the mark is, as the last so many messages by others are unread; null if that cannot be told. @param {number} count */
  function seqByCount(count) {
    const { messages, hasBefore, hasAfter } = state
    // A page that was asked for by the mark begins after it.
    if (hasAfter) return timeline.startsAtMark() ? (messages[0]?.seq ?? 1) - 1 : null
    if (!count) return messages.at(-1)?.seq ?? 0
    const first = messages.filter(isByOther).at(-count)
    if (first) return first.seq - 1
    return hasBefore ? null : 0
  }

  function drawLine() {
    const after = state.messages.slice(indexOfSeq(state.messages, /** @type {number} */ (readSeq.value) + 1))
    firstUnread.value = after.find(isByOther) ?? null
  }

  const isWhole = computed(() => state.status === 'live' && !state.hasAfter)
  const canRead = computed(() => isAtEnd.value && isVisible.value && isWhole.value && readSeq.value !== null)
  const newest = computed(() => state.messages.at(-1) ?? null)

  /** Tells the server, one message after another. */
  async function tell() {
    while (canRead.value && newest.value && unread.value !== 0) {
      const { id, seq } = newest.value
      if (seq <= /** @type {number} */ (readSeq.value)) return
      try {
        const ack = await websocket.request({ type: 'read_messages', chat_id: chatId, up_to: id })
        readSeq.value = Math.max(seq, readSeq.value ?? 0, ack.read_seq ?? 0)
        const mark = { last_read_message_id: ack.up_to, ...(ack.read_seq && { read_seq: ack.read_seq }) }
        chats.noteRead(chatId, ack.unread_count, mark)
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
  const isLive = computed(() => state.status === 'live')
  watch([unread, canRead, isLive, () => chat.value?.unread_count], ([count, reads, live, shown]) => {
    const right = count && reads ? 0 : count
    if (live && right !== null && shown !== undefined && right !== shown) chats.noteRead(chatId, right)
  })
  // The mark may have moved just before the room was entered, which is told neither inside nor outside.
  watch(isLive, (live) => live && chat.value?.unread_count && chats.check(chatId))
  watch(
    () => chat.value?.read_seq,
    (seq) => {
      if (readSeq.value !== null && seq > readSeq.value) readSeq.value = seq
    },
  )

  const { start: recountSoon } = useTimeoutFn(() => chats.fetch(chatId).catch(() => {}), RECOUNT_MS, {
    immediate: false,
  })
  const unsubscribes = [
    timeline.onArrival((message, { missed }) => {
      if (!isByOther(message)) return
      if (unread.value === 1 && (missed || !canRead.value)) firstUnread.value = message
      if (unread.value === null) recountSoon()
    }),
    websocket.on('messages_read', ({ chat_id, user_id, up_to, read_seq }) => {
      if (chat_id !== chatId || user_id !== session.userId) return
      const seq = read_seq ?? timeline.get(up_to)?.seq
      if (seq !== undefined) readSeq.value = Math.max(readSeq.value ?? 0, seq)
      else chats.fetch(chatId).catch(() => {})
    }),
  ]
  onScopeDispose(() => unsubscribes.forEach((unsubscribe) => unsubscribe()))

  return { firstUnread, isVisible, begin, drawLine }
}
