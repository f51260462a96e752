/**
 * A stretch of a chat's history: no message between its ends is missing.
 *
 * @typedef {object} Message
 * @property {number} id
 * @property {number} chat_id
 * @property {number} seq the number of its creation: the order of messages
 * @property {number} changed_seq the number of its last change: of two copies the higher one is newer
 * @property {string} content
 * @property {string} message_type
 * @property {number} sender_id
 * @property {string} created_at
 * @property {string | null} edited_at
 * @property {number | null} reply_to
 * @property {string} [client_id]
 *
 * @typedef {object} Page
 * @property {Message[]} messages oldest first
 * @property {boolean} has_more_before
 * @property {boolean} has_more_after
 * @property {number} head_seq what is later than that is not in the page
 */

/**
 * The index of the first message that is not before `seq`; the length if all are.
 *
 * @param {{ seq: number }[]} messages in the order of `seq`
 * @param {number} seq
 */
export function indexOfSeq(messages, seq) {
  let low = 0
  let high = messages.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (messages[middle].seq < seq) low = middle + 1
    else high = middle
  }
  return low
}

export function createStretch() {
  /** @type {Map<number, Message>} */
  const byId = new Map()
  /** Deleted for good: a page that was on its way, or a late ack, does not bring them back. */
  const deleted = new Set()
  /** @type {Message[]} a new array after each change */
  let messages = []
  // The ends: null where nothing is left to load, not even what is still to be written. They stay when they are deleted.
  /** @type {{ id: number, seq: number } | null} */
  let first = null
  /** @type {{ id: number, seq: number } | null} */
  let last = null

  /** @param {number} seq */
  function covers(seq) {
    return (!first || seq >= first.seq) && (!last || seq <= last.seq)
  }

  /** @param {Message[]} some */
  function add(some) {
    const next = messages.slice()
    let changed = false
    for (const message of some) {
      const known = byId.get(message.id)
      if (deleted.has(message.id) || !covers(message.seq)) continue
      if (known && known.changed_seq >= message.changed_seq) continue
      byId.set(message.id, message)
      next.splice(indexOfSeq(next, message.seq), known ? 1 : 0, message)
      changed = true
    }
    if (changed) messages = next
  }

  return {
    get messages() {
      return messages
    },
    get first() {
      return first
    },
    get last() {
      return last
    },
    /** @param {number} id */
    get: (id) => byId.get(id),
    /** @param {number} id */
    isDeleted: (id) => deleted.has(id),

    /**
     * Takes a message in, or its newer state. Nothing happens outside of the stretch, or if it is deleted.
     *
     * @param {Message} message
     */
    put: (message) => add([message]),

    /** @param {number} id */
    remove(id) {
      deleted.add(id)
      if (byId.delete(id)) messages = messages.filter((message) => message.id !== id)
    },

    /** Has the page instead of all there was. @param {Page} page */
    replace(page) {
      byId.clear()
      messages = []
      first = (page.has_more_before && page.messages[0]) || null
      last = (page.has_more_after && page.messages.at(-1)) || null
      add(page.messages)
    },

    /** Grows by the page that ends before `first`. @param {Page} page */
    prepend(page) {
      first = (page.has_more_before && page.messages[0]) || null
      add(page.messages)
    },

    /** Grows by the page that begins after `last`. @param {Page} page */
    append(page) {
      last = (page.has_more_after && page.messages.at(-1)) || null
      add(page.messages)
    },

    /** Lets go of all but the newest. @param {number} count at least 1 */
    trim(count) {
      if (messages.length <= count) return
      for (const message of messages.slice(0, -count)) byId.delete(message.id)
      messages = messages.slice(-count)
      first = messages[0]
    },

    /** Knows nothing any more, not even what is deleted. */
    clear() {
      byId.clear()
      deleted.clear()
      messages = []
      first = last = null
    },
  }
}
