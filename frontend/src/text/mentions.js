/** Mentions in texts, by the rule of the server: see docs/protocol.md. */

const MENTION = /(?<![\p{L}\p{N}_.@-])@[A-Za-z0-9_.-]+/gu
const NEXT = /^[\p{L}\p{N}]/u
const ALL = 'all'

/**
 * Where a part of a text may mention somebody: `@` and what may be a username, or a username with dots and hyphens after it.
 *
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @returns {{ start: number, end: number }[]}
 */
export function mentionsIn(text, from, to) {
  const lead = Math.min(from, 2) // what is before the part may forbid a mention
  const part = text.slice(from - lead, to)
  if (!part.includes('@', lead)) return []
  return [...part.matchAll(MENTION)]
    .map(({ 0: found, index }) => ({ start: from - lead + index, end: from - lead + index + found.length }))
    .filter(({ start, end }) => start >= from && !NEXT.test(text.slice(end, end + 2)))
}

/**
 * Splits a possible mention into the mention of somebody whom the message mentions, and the rest of the sentence. The
 * longest username counts. Null if the message mentions nobody of that name.
 *
 * @param {string} found such as `@bob.`
 * @param {(username: string) => boolean} isMentioned by the username in lower case
 * @returns {{ username: string, end: number } | null} `end`: where the rest begins
 */
export function mentionOf(found, isMentioned) {
  for (let end = found.length; end > 1; end--) {
    const username = found.slice(1, end).toLowerCase()
    if (isMentioned(username)) return { username, end }
    if (!'.-'.includes(found[end - 1])) return null
  }
  return null
}

/** Whether somebody may mention all members of a chat at once. @param {import('@/types').Chat} chat */
export function mayMentionAll({ chat_type, role, member_count }) {
  if (chat_type === 'private') return false
  return role !== 'member' || (chat_type === 'group' && member_count <= ALL_MAX)
}

/** A group of more members than this is mentioned as a whole by its admins and owners only. */
const ALL_MAX = 100

/** Whether a username stands for all members of a chat. @param {string} username in lower case */
export const isAll = (username) => username === ALL

/**
 * Whether a message by somebody else mentions a user, by name or with all others.
 *
 * @param {Pick<import('@/types').Message, 'mentions' | 'mentions_all' | 'sender_id'>} message
 * @param {number | null} userId
 */
export function mentionsUser({ mentions, mentions_all, sender_id }, userId) {
  if (userId === null || sender_id === userId) return false
  return Boolean(mentions_all || mentions?.includes(userId))
}
