/**
 * Finds the first message of a day. The server finds messages by their ids and not by their dates, so this walks through the
 * history, in the largest pages there are, from the nearest message whose date is known.
 *
 * @typedef {import('@/types').Message} Message
 * @typedef {{ id: number, seq: number, at: number }} Signpost a message and its time, in ms since 1970
 *
 * @typedef {object} Found
 * @property {Message | null} message the first message at or after the time, or the last of the chat; null: not found
 * @property {number | null} reached how far the walk came, in ms since 1970, if it has not found the message
 */

import { LARGEST_PAGE } from './pages'
import { walk } from './walk'

/** One walk goes through this many pages at most. */
const MAX_PAGES = 100

/** @param {{ created_at: string }} message */
export const timeOfMessage = ({ created_at }) => Date.parse(created_at)

/**
 * @param {object} options
 * @param {number} options.chatId
 * @param {import('./pages').Api} options.api
 * @param {{ state: Pick<import('./timeline').TimelineState, 'messages' | 'hasBefore' | 'hasAfter'> }} options.timeline
 */
export function createDateSearch({ chatId, api, timeline }) {
  /** The ends of the pages that were walked through, in the order of their times. @type {Signpost[]} */
  let signposts = []

  /** @param {Message[]} messages */
  function note(messages) {
    const ends = [messages[0], messages.at(-1)].flatMap((message) => message ?? [])
    const known = new Set(signposts.map(({ id }) => id))
    const added = ends.filter(({ id }) => !known.has(id))
    signposts = [
      ...signposts,
      ...added.map((message) => ({ id: message.id, seq: message.seq, at: timeOfMessage(message) })),
    ].sort((a, b) => a.seq - b.seq)
  }

  /**
   * @param {number} time in ms since 1970
   * @param {{ isWanted: () => boolean, onProgress: (reached: number) => void }} options `isWanted`: false ends the search
   *   early; `onProgress` gets the time that the walk has come to
   * @returns {Promise<Found>}
   */
  async function find(time, options) {
    const { messages, hasBefore, hasAfter } = timeline.state
    const known = firstIn(messages, time, !hasBefore)
    if (known) return { message: known, reached: null }
    note(messages)
    const newest = hasAfter ? await newestPage() : messages
    note(newest)
    const last = newest.at(-1) ?? null
    if (!last || timeOfMessage(last) < time) return { message: last, reached: null }
    const recent = firstIn(newest, time, false)
    return recent ? { message: recent, reached: null } : search(time, options)
  }

  /** @returns {Promise<Message[]>} */
  async function newestPage() {
    return (await api.get(`/chats/${chatId}/messages`, { limit: LARGEST_PAGE })).messages
  }

  /** Walks from the nearest signpost. @param {number} time @param {Parameters<typeof find>[1]} options @returns {Promise<Found>} */
  async function search(time, { isWanted, onProgress }) {
    const later = /** @type {Signpost} */ (signposts.find(({ at }) => at >= time)) // the newest message at the latest
    const earlier = signposts.findLast(({ at }) => at < time)
    const isForward = earlier && time - earlier.at < later.at - time
    const from = isForward ? earlier : later
    // If all messages before it are older, it is the first one itself.
    let found = isForward ? null : await messageOf(later.id)
    let reached = from.at
    let count = 0
    const side = isForward ? 'after' : 'before'
    for await (const { messages } of walk({ chatId, api, from: from.id, side, maxPages: MAX_PAGES })) {
      if (!isWanted()) return { message: null, reached }
      count++
      note(messages)
      reached = timeOfMessage(/** @type {Message} */ (messages.at(isForward ? -1 : 0)))
      found = firstAt(messages, time) ?? found
      if (isForward ? reached >= time : reached < time) return { message: found, reached: null }
      onProgress(reached)
    }
    return count < MAX_PAGES ? { message: found, reached: null } : { message: null, reached }
  }

  /** @param {number} id @returns {Promise<Message | null>} */
  async function messageOf(id) {
    const loaded = timeline.state.messages.find((message) => message.id === id)
    if (loaded) return loaded
    const { messages } = await api.get(`/chats/${chatId}/messages`, { around: id, limit: 1 })
    return messages[0] ?? null
  }

  return { find }
}

/** The first message at or after a time; null if there is none. @param {Message[]} messages @param {number} time */
function firstAt(messages, time) {
  return messages.find((message) => timeOfMessage(message) >= time) ?? null
}

/**
 * The same, but null if an earlier message may be the first one.
 *
 * @param {Message[]} messages
 * @param {number} time
 * @param {boolean} isStart whether the messages begin with the first of the chat
 */
function firstIn(messages, time, isStart) {
  const isCertain = isStart || (messages.length > 0 && timeOfMessage(messages[0]) < time)
  return isCertain ? firstAt(messages, time) : null
}
