/**
 * The rows of a list of messages: messages, days and the unread line, each with a stable key.
 *
 * @typedef {import('@/types').Message} Message
 * @typedef {import('./outbox').Entry} Entry
 *
 * @typedef {object} Stream an answer that a user is writing
 * @property {number} userId
 * @property {string} streamId the `client_id` of the message that it will be
 * @property {string} content
 * @property {string} at when this content came
 *
 * @typedef {{ kind: 'day', key: string, at: string }} DayRow
 * @typedef {{ kind: 'unread', key: string }} UnreadRow
 * @typedef {object} MessageRow
 * @property {'message'} kind
 * @property {string} key an entry of the outbox, or a stream, and the message that it becomes have the same key
 * @property {Message} message for an entry and for a stream: the message that it will become, with `id` 0
 * @property {Entry | null} entry
 * @property {boolean} isStream
 * @property {boolean} isMine
 * @property {boolean} startsGroup whether it is the first of a group: messages by one sender with little time between them
 * @property {boolean} endsGroup
 *
 * @typedef {DayRow | UnreadRow | MessageRow} Row
 */

const GROUP_MS = 5 * 60_000

/**
 * @param {Message[]} messages in order, without a gap
 * @param {object} options
 * @param {Entry[]} options.entries the outbox of this chat; entries that are among `messages` already are left out
 * @param {Map<string, Stream>} [options.streams] by `streamKey`; those whose messages are among `messages` are left out. They
 *   are last, where their messages will be
 * @param {Set<string>} [options.shown] the keys of streams that were shown, of those too whose messages have come
 * @param {number | null} options.ownId
 * @param {Message} [options.previous] the message before the first one, which is not shown but decides about the first day and group
 * @param {number | null} options.unreadFrom the `seq` of the first unread message, deleted or not: the line is before
 *   it
 * @returns {Row[]}
 */
export function rowsOf(messages, { entries, streams = new Map(), shown, ownId, previous, unreadFrom }) {
  const own = new Set()
  for (const message of messages) if (message.sender_id === ownId) own.add(message.client_id)
  const waiting = entries.filter((entry) => !own.has(entry.clientId)).map((entry) => rowOfEntry(entry, ownId))
  const sent = messages.map((message) => rowOf(message, ownId, { shown }))
  const growing = rowsOfStreams(messages, streams, ownId)
  /** @type {Row[]} */
  const rows = []
  /** @type {MessageRow | null} */
  let before = previous ? rowOf(previous, ownId) : null
  for (const row of [...sent, ...waiting, ...growing]) {
    const isNewDay = !before || dayOf(before.message) !== dayOf(row.message)
    if (isNewDay) rows.push({ kind: 'day', key: `day ${row.key}`, at: row.message.created_at })
    const isFirstUnread =
      unreadFrom !== null &&
      !row.entry &&
      !row.isStream &&
      row.message.seq >= unreadFrom &&
      (before ? before.message.seq < unreadFrom : row.message.seq === unreadFrom)
    if (isFirstUnread) rows.push({ kind: 'unread', key: 'unread' })
    if (before && !isNewDay && !isFirstUnread && belongTogether(before.message, row.message)) {
      before.endsGroup = false
      row.startsGroup = false
    }
    rows.push(row)
    before = row
  }
  return rows
}

/** Names a stream, and the message that it becomes: two users may choose the same `client_id`. @param {number} userId @param {string} streamId */
export const streamKey = (userId, streamId) => `${userId} ${streamId}`

/**
 * @param {Message} message
 * @param {number | null} ownId
 * @param {{ entry?: Entry | null, isStream?: boolean, shown?: Set<string> }} [about]
 * @returns {MessageRow}
 */
function rowOf(message, ownId, { entry = null, isStream = false, shown } = {}) {
  const isMine = message.sender_id === ownId
  const key = keyOf(message, { isMine, isStream, shown })
  return { kind: 'message', key, message, entry, isStream, isMine, startsGroup: true, endsGroup: true }
}

/** @param {Message} message @param {{ isMine: boolean, isStream: boolean, shown?: Set<string> }} about */
function keyOf({ id, sender_id, client_id }, { isMine, isStream, shown }) {
  if (client_id && isMine) return `own ${client_id}`
  const key = client_id && (isStream || shown?.size) ? streamKey(sender_id, client_id) : ''
  return isStream || shown?.has(key) ? `stream ${key}` : `message ${id}`
}

/** @param {Message[]} messages @param {Map<string, Stream>} streams @param {number | null} ownId */
function rowsOfStreams(messages, streams, ownId) {
  if (!streams.size) return []
  const sent = new Set(messages.map(({ sender_id, client_id = '' }) => streamKey(sender_id, client_id)))
  return [...streams]
    .filter(([key]) => !sent.has(key))
    .map(([, { userId, streamId, content, at }]) =>
      rowOf(
        unsent({
          content,
          sender_id: userId,
          created_at: at,
          client_id: streamId,
          chat_id: 0,
          reply_to: null,
        }),
        ownId,
        { isStream: true },
      ),
    )
}

/**
 * A message that is not sent yet.
 *
 * @param {Pick<Message, 'chat_id' | 'content' | 'sender_id' | 'created_at' | 'reply_to' | 'client_id'>} known
 * @returns {Message}
 */
function unsent(known) {
  return { id: 0, seq: Infinity, changed_seq: 0, message_type: 'text', edited_at: null, ...known }
}

/** @param {Entry} entry @param {number | null} ownId */
function rowOfEntry(entry, ownId) {
  const message = unsent({
    chat_id: entry.chatId,
    content: entry.content,
    sender_id: ownId ?? 0,
    created_at: new Date(entry.writtenAt).toISOString(),
    reply_to: entry.replyTo,
    client_id: entry.clientId,
  })
  return rowOf({ ...message, attachments: (entry.files ?? []).map(attachmentOf) }, ownId, { entry })
}

/** What a file will be once it is sent. @param {import('./outbox').UnsentFile} file @returns {import('@/types').Attachment} */
function attachmentOf({ key, name, type, size, width, height }) {
  return { id: key, name, content_type: type, size, url: '', width, height, localKey: key }
}

/** The day in the reader's time zone. @param {Message} message */
function dayOf({ created_at }) {
  return new Date(created_at).toDateString()
}

/** @param {Message} one @param {Message} next */
function belongTogether(one, next) {
  const pause = Date.parse(next.created_at) - Date.parse(one.created_at)
  return one.sender_id === next.sender_id && pause < GROUP_MS && !next.reply_to
}
