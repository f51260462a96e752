/**
 * Finds out which of two states of the same thing is newer. The answer to a request shows the server at some moment
 * between the request and the answer; an event shows it after all events before. So an answer does not count against an
 * event that came after its request, and of two answers the one to the later request counts.
 *
 *     const requestedAt = freshness.start()
 *     const chat = await api.get('/chats/1')
 *     if (freshness.accept('chat 1', requestedAt)) … // else an event or the answer to a later request was faster
 *
 * The client has one of it, `freshness`, because an answer about one thing may carry the state of another.
 */
export function createFreshness() {
  /** Counts requests and events. */
  let clock = 0
  /** Answers to requests up to this one belong to another session. */
  let floor = 0
  /** @type {Map<string, number>} the clock as of which each thing is known */
  const known = new Map()

  /** @param {string} name @param {number} requestedAt */
  const isNewer = (name, requestedAt) => requestedAt > floor && requestedAt > (known.get(name) ?? 0)

  return {
    /** To be called before a request is sent. Returns what belongs to its answer. */
    start: () => ++clock,
    isNewer,
    /** Whether a thing is known as of a request or later. @param {string} name @param {number} since */
    isKnownSince: (name, since) => (known.get(name) ?? 0) >= since,

    /**
     * Whether an answer is newer than what is known of a thing. If it is, it is what is known from then on.
     *
     * @param {string} name
     * @param {number} requestedAt
     */
    accept(name, requestedAt) {
      const isNew = isNewer(name, requestedAt)
      if (isNew) known.set(name, requestedAt)
      return isNew
    },

    /** A thing is known as of now, by an event or by the ack of a change. @param {string} name */
    changed: (name) => void known.set(name, ++clock),

    /** Forgets everything. No answer to an earlier request will count. */
    reset() {
      known.clear()
      floor = ++clock
    },
  }
}

export const freshness = createFreshness()
