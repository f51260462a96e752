// What both Node servers share: the number of the last message of each chat, and the form of a message on the wire.

const heads = new Map()

export const headOf = (chatId) => heads.get(chatId) ?? 0

/** The event `new_message` for a sent message; the message takes the next number of its chat. */
export function newMessage({ chat_id, content, client_id }, senderId) {
  const seq = headOf(chat_id) + 1
  heads.set(chat_id, seq)
  const now = new Date().toISOString()
  return {
    chat_id,
    message: {
      id: seq,
      chat_id,
      seq,
      changed_seq: seq,
      content,
      sender_id: senderId,
      created_at: now,
      edited_at: null,
      message_type: 'text',
      reply_to: null,
      reactions: {},
      pinned: false,
      attachments: [],
      client_id,
    },
    seq,
    timestamp: now,
  }
}
