/**
 * A contiguous window of a chat's history: between its first and its last message none is missing.
 *
 * @typedef {import('@/types').Message} Message
 * @typedef {import('@/types').Page} Page
 * @typedef {Pick<Message, 'id' | 'seq'>} End
 */

/**
 * The index of the first message at or after `seq`; the length of the list if there is none.
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

export function createMessageWindow() {
  /** @type {Map<number, Message>} */
  const byId = new Map()
  /** Ids of deleted messages: a page that was requested earlier, or a late ack, must not bring them back. */
  const deleted = new Set()
  /** @type {Message[]} a new array after each change */
  let messages = []
  // The ends of the window. An end is null where the chat itself ends; the window then also takes new messages there. An
  // end stays when its message is deleted.
  /** @type {End | null} */
  let first = null
  /** @type {End | null} */
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
     * Adds a message or replaces an older copy of it. Does nothing outside of the window or after the message's deletion.
     *
     * @param {Message} message
     */
    put: (message) => add([message]),

    /** @param {number} id */
    remove(id) {
      deleted.add(id)
      if (byId.delete(id)) messages = messages.filter((message) => message.id !== id)
    },

    /** Replaces all messages by those of a page. @param {Page} page */
    replace(page) {
      byId.clear()
      messages = []
      first = (page.has_more_before && page.messages[0]) || null
      last = (page.has_more_after && page.messages.at(-1)) || null
      add(page.messages)
    },

    /** Adds the page that ends before `first`. @param {Page} page */
    prepend(page) {
      first = (page.has_more_before && page.messages[0]) || null
      add(page.messages)
    },

    /** Adds the page that begins after `last`. @param {Page} page */
    append(page) {
      last = (page.has_more_after && page.messages.at(-1)) || null
      add(page.messages)
    },

    /** Removes all but the newest messages from memory. @param {number} count at least 1 */
    trim(count) {
      if (messages.length <= count) return
      for (const message of messages.slice(0, -count)) byId.delete(message.id)
      messages = messages.slice(-count)
      first = messages[0]
    },

    /** Removes everything from memory, also which messages are deleted. */
    clear() {
      byId.clear()
      deleted.clear()
      messages = []
      first = last = null
    },
  }
}
