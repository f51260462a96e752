import { useDocumentVisibility, useTimeoutFn } from '@vueuse/core'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { mentionsUser } from '@/text/mentions'
import websocket from '@/services/websocket'
import { useChats } from '@/stores/chats'
import { useSession } from '@/stores/session'
import { indexOfSeq } from '@/timeline/messageWindow'
import { onEvent } from './onEvent'

/** @typedef {import('@/types').Message} Message */

const RECOUNT_MS = 500

/**
 * The `seq` of a chat's read mark; 0: nothing is read; null: unknown.
 *
 * @param {import('@/types').Chat} chat
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function markOf({ read_seq, last_read_message_id }, timeline) {
  if (read_seq !== undefined && read_seq !== null) return read_seq
  // An older server gives the mark as a message, which need not be loaded.
  return last_read_message_id ? (timeline.get(last_read_message_id)?.seq ?? null) : 0
}

/**
 * Moves the read mark of an open chat, but only while the end of the chat is visible. The unread line, before the first
 * unread message, stays where it is while the user reads; it is drawn anew when a message arrives unseen after everything
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
  /** The position of the read mark; null: unknown, so that nothing is marked as read. */
  const readSeq = ref(/** @type {number | null} */ (null))
  /** The message that has the unread line before it. */
  const firstUnread = shallowRef(/** @type {Message | null} */ (null))
  let isSending = false
  /** Whether the user has marked the chat as unread before they opened it: reading takes the mark away. */
  let isMarked = false

  const chat = computed(() => chats.get(chatId))
  const isByOther = (/** @type {{ sender_id: number }} */ message) => message.sender_id !== session.userId

  /** The unread messages, if all of them are loaded. */
  const unreadMessages = computed(() => {
    const { messages, hasAfter } = state
    if (readSeq.value === null || hasAfter || !timeline.reaches(readSeq.value)) return null
    return messages.slice(indexOfSeq(messages, readSeq.value + 1)).filter(isByOther)
  })
  const unread = computed(() => unreadMessages.value?.length ?? null)
  const unreadMentions = computed(
    () => unreadMessages.value?.filter((message) => mentionsUser(message, session.userId)).length ?? null,
  )

  /**
   * Reads the mark and draws the line. To be called once the first page is loaded.
   *
   * @param {object} options
   * @param {boolean} [options.reachesBack] loads pages back to the line
   */
  async function begin({ reachesBack = true } = {}) {
    if (!chat.value) return
    const { unread_count } = chat.value
    isMarked = chat.value.marked_unread ?? false
    readSeq.value = markOf(chat.value, timeline)
    if (unread_count && readSeq.value !== null && reachesBack) await timeline.reachBack(readSeq.value)
    if (readSeq.value === null && reachesBack) await loadOthers(unread_count)
    readSeq.value ??= seqByCount(unread_count)
    const isLoaded = readSeq.value !== null && (reachesBack || timeline.reaches(readSeq.value))
    if (unread_count && isLoaded) drawLine()
  }

  /** Loads pages until enough messages by others are loaded, and with them the first unread one. @param {number} count */
  async function loadOthers(count) {
    const isEnough = () => !state.hasBefore || state.messages.filter(isByOther).length >= count
    while (!state.hasAfter && !isEnough() && !state.error && !state.loading) await timeline.loadBefore()
  }

  /** The position of the mark, by the number of unread messages; null: unknown. @param {number} count */
  function seqByCount(count) {
    const { messages, hasBefore, hasAfter } = state
    // A page that was requested by the mark begins after it.
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

  const isComplete = computed(() => state.status === 'live' && !state.hasAfter)
  const canRead = computed(
    () => isAtEnd.value && isVisible.value && isComplete.value && readSeq.value !== null,
  )
  const newest = computed(() => state.messages.at(-1) ?? null)

  const isBehind = () =>
    newest.value !== null && unread.value !== 0 && newest.value.seq > /** @type {number} */ (readSeq.value)

  /** Sends the mark, one request at a time, until it is on the newest message. */
  async function sendMark() {
    while (canRead.value && (isMarked || isBehind())) {
      const { id, seq = 0 } = newest.value ?? {}
      try {
        const ack = await websocket.request({
          type: 'read_messages',
          chat_id: chatId,
          ...(id && { up_to: id }),
        })
        isMarked = false
        readSeq.value = Math.max(seq, readSeq.value ?? 0, ack.read_seq ?? 0)
        const mark = { last_read_message_id: ack.up_to, ...(ack.read_seq && { read_seq: ack.read_seq }) }
        chats.noteRead(chatId, /** @type {any} */ (ack), mark)
      } catch {
        return // tried again with the next message or connection
      }
    }
  }

  watch([canRead, newest], async () => {
    if (isSending) return
    isSending = true
    await sendMark()
    isSending = false
  })

  // The count made here is more exact than the last one that the server sent. Messages that are visible do not show as
  // unread while the mark is on its way.
  const isLive = computed(() => state.status === 'live')
  const counted = computed(() => {
    if (unread.value === null || unreadMentions.value === null) return null
    return canRead.value
      ? { unread_count: 0, unread_mentions: 0 }
      : { unread_count: unread.value, unread_mentions: unreadMentions.value }
  })
  const isRight = () =>
    chat.value?.unread_count === counted.value?.unread_count &&
    (chat.value?.unread_mentions ?? 0) === counted.value?.unread_mentions
  watch([counted, isLive, () => chat.value?.unread_count, () => chat.value?.unread_mentions], () => {
    if (isLive.value && counted.value && chat.value && !isRight()) chats.noteRead(chatId, counted.value)
  })
  // The mark may have moved just before the join; neither an event of the room nor `chat_updated` shows that.
  watch(isLive, (live) => live && chat.value?.unread_count && chats.check(chatId))
  watch(
    () => chat.value?.read_seq,
    (seq) => {
      if (seq !== undefined && readSeq.value !== null && seq > readSeq.value) readSeq.value = seq
    },
  )

  const { start: recountSoon } = useTimeoutFn(() => chats.fetch(chatId).catch(() => {}), RECOUNT_MS, {
    immediate: false,
  })
  const unsubscribe = timeline.onArrival((message, { missed }) => {
    if (!isByOther(message)) return
    if (unread.value === 1 && (missed || !canRead.value)) firstUnread.value = message
    if (unread.value === null) recountSoon()
  })
  onScopeDispose(unsubscribe)
  onEvent('messages_read', ({ chat_id, user_id, up_to, read_seq }) => {
    if (chat_id !== chatId || user_id !== session.userId) return
    const seq = read_seq ?? timeline.get(up_to)?.seq
    if (seq !== undefined) readSeq.value = Math.max(readSeq.value ?? 0, seq)
    else chats.fetch(chatId).catch(() => {})
  })

  return { firstUnread, isVisible, readSeq, begin, drawLine }
}
