/**
 * The rows of a list of messages: messages, days and the unread line, each with a stable key.
 *
 * @typedef {import('@/types').Message} Message
 * @typedef {import('./outbox').Entry} Entry
 *
 * @typedef {{ kind: 'day', key: string, at: string }} DayRow
 * @typedef {{ kind: 'unread', key: string }} UnreadRow
 * @typedef {object} MessageRow
 * @property {'message'} kind
 * @property {string} key an entry of the outbox and the message that it becomes have the same key
 * @property {Message} message for an entry: the message that it will become, with `id` 0
 * @property {Entry | null} entry
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
 * @param {number | null} options.ownId
 * @param {Message} [options.previous] the message before the first one, which is not shown but decides about the first day and group
 * @param {number | null} options.unreadFrom the `seq` of the first unread message, deleted or not: the line is before
 *   it
 * @returns {Row[]}
 */
export function rowsOf(messages, { entries, ownId, previous, unreadFrom }) {
  const own = new Set()
  for (const message of messages) if (message.sender_id === ownId) own.add(message.client_id)
  const waiting = entries.filter((entry) => !own.has(entry.clientId)).map((entry) => rowOfEntry(entry, ownId))
  /** @type {Row[]} */
  const rows = []
  /** @type {MessageRow | null} */
  let before = previous ? rowOf(previous, ownId) : null
  for (const row of [...messages.map((message) => rowOf(message, ownId)), ...waiting]) {
    const isNewDay = !before || dayOf(before.message) !== dayOf(row.message)
    if (isNewDay) rows.push({ kind: 'day', key: `day ${row.key}`, at: row.message.created_at })
    const isFirstUnread =
      unreadFrom !== null &&
      !row.entry &&
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

/**
 * @param {Message} message
 * @param {number | null} ownId
 * @param {Entry | null} entry
 * @returns {MessageRow}
 */
function rowOf(message, ownId, entry = null) {
  const isMine = message.sender_id === ownId
  // Other users may choose the same `client_id`.
  const key = isMine && message.client_id ? `own ${message.client_id}` : `message ${message.id}`
  return { kind: 'message', key, message, entry, isMine, startsGroup: true, endsGroup: true }
}

/** @param {Entry} entry @param {number | null} ownId */
function rowOfEntry(entry, ownId) {
  const message = {
    id: 0,
    chat_id: entry.chatId,
    seq: Infinity,
    changed_seq: 0,
    content: entry.content,
    message_type: 'text',
    sender_id: ownId ?? 0,
    created_at: new Date(entry.writtenAt).toISOString(),
    edited_at: null,
    reply_to: entry.replyTo,
    client_id: entry.clientId,
    attachments: (entry.files ?? []).map(attachmentOf),
  }
  return rowOf(message, ownId, entry)
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
