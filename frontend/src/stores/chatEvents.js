import { onEvent } from '@/composables/onEvent'
import { isPart, MESSAGE_CHANGES, MESSAGE_EVENTS } from '@/events'
import { freshness } from '@/services/freshness'

/** In larger chats a client does not ask for its role after each change of members. */
const ROLE_MEMBERS_MAX = 100

/**
 * Keeps the chats up to date by events.
 *
 * @param {object} options
 * @param {ReturnType<typeof import('./chatRecords').createChatRecords>} options.records
 * @param {ReturnType<typeof import('./chatMembers').createMembers>} options.members
 * @param {ReturnType<typeof import('./session').useSession>} options.session
 * @param {(chatId: number) => Promise<void>} options.check
 * @param {(chatId: number) => boolean} options.isPending whether a request is under way whose answer may have the chat
 * @param {(chatId: number, reason: string | undefined, name: string | null | undefined) => void} options.onRemoved
 */
export function followChatEvents({ records, members, session, check, isPending, onRemoved }) {
  const { chats } = records

  onEvent('chat_added', ({ chat_id }) => {
    freshness.changed(`chat ${chat_id} there`) // no earlier request knows of it
    check(chat_id)
    members.reloadMembers(chat_id)
  })
  onEvent('chat_removed', ({ chat_id, reason, name }) => onRemoved(chat_id, reason, name))
  onEvent('chat_changed', ({ chat_id, chat }) => {
    const known = chats.get(chat_id)
    if (!known) return void (isPending(chat_id) && check(chat_id))
    records.noteShared(known, chat)
    if (members.reloadMembers(chat_id)) return
    // The user's own role may be what has changed. For a large chat it is requested when the chat is opened.
    if (known.member_count <= ROLE_MEMBERS_MAX) check(chat_id)
  })

  onEvent('chat_settings', (frame) => {
    const chat = chats.get(frame.chat_id)
    if (chat) records.noteSettings(chat, frame)
    // A message may have shown it again before this event came. An unknown chat was hidden, and is shown again.
    if (!chat || frame.hidden) check(frame.chat_id)
  })

  // Chats that are joined: each change of a message.
  onEvent('new_message', ({ chat_id, message }) => {
    const chat = chats.get(chat_id)
    if (!chat) return void check(chat_id)
    records.noteArrival(chat, message)
    records.noteChange(chat, message)
    if (chat.hidden) check(chat_id) // a new message brings it back into the list
  })
  onEvent('message_updated', ({ chat_id, message }) => {
    const chat = chats.get(chat_id)
    if (!chat || !message) return
    records.noteChange(chat, message)
    // An edit may have added or removed a mention.
    const mayMention = chat.unread_mentions || message.content.includes('@')
    if (message.edited_at && mayMention && (chat.unread_count || isPending(chat_id))) check(chat_id)
  })
  onEvent('message_deleted', ({ chat_id, message_id }) => {
    const chat = chats.get(chat_id)
    const isLast = chat?.last_message?.id === message_id
    if (chat && (isLast || chat.unread_count || isPending(chat_id))) check(chat_id)
  })
  onEvent('reaction_added', alterLast)
  onEvent('reaction_removed', alterLast)
  onEvent('message_pinned', alterLast)
  onEvent('message_unpinned', alterLast)
  /** The copy of the newest message in the list follows a change of a part of it. @param {import('@/types').MessageFrame} frame */
  function alterLast(frame) {
    const chat = chats.get(frame.chat_id)
    const last = chat?.last_message
    if (!chat || !last || hasMissed(chat, frame)) return
    MESSAGE_CHANGES[frame.type](
      {
        get: (id) => (last.id === id ? last : undefined),
        put: (message) => records.noteChange(chat, message),
        remove: () => {},
      },
      frame,
    )
  }
  for (const event of MESSAGE_EVENTS) {
    onEvent(event, (/** @type {any} */ frame) => {
      const chat = chats.get(frame.chat_id)
      if (chat && !hasMissed(chat, frame)) chat.seq = Math.max(chat.seq, frame.seq ?? 0)
    })
  }
  /**
   * Whether a change of a part comes after another one that was missed, which may be of the same message. An answer or the
   * replay of a join has the whole message.
   *
   * @param {import('@/types').Chat} chat
   * @param {import('@/types').MessageFrame} frame
   */
  function hasMissed(chat, frame) {
    return isPart(frame) && (frame.seq ?? 0) > chat.seq + 1
  }
  onEvent('messages_read', ({ chat_id, user_id, up_to, read_seq }) => {
    const chat = chats.get(chat_id)
    if (user_id !== session.userId || !chat) return
    const mark = { last_read_message_id: up_to, ...(read_seq !== undefined && { read_seq }) }
    if (!records.noteMark(chat, mark)) check(chat_id)
  })

  // Chats that are not joined: their state after changes.
  onEvent('chat_updated', (frame) => {
    const chat = chats.get(frame.chat_id)
    if (chat) records.noteUpdate(chat, frame)
    if (!chat || chat.hidden) check(frame.chat_id)
  })
}
