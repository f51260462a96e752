/**
 * Which of two words about the same thing is newer: an answer shows the server at some moment between its question and
 * its coming; an event shows it as it is once all events before are taken in. So an answer says nothing about what was
 * told after its question, and of two answers that to the later question counts.
 *
 *     const asked = freshness.ask()
 *     const chat = await api.get('/chats/1')
 *     if (freshness.take('chat 1', asked)) … // else an event, or the answer to a later question, was faster
 *
 * There is one of it in the client, `freshness`, as what is told of one thing may come with the answer about another.
 */
export function createFreshness() {
  let moment = 0
  /** Answers to what was asked before are of another session. */
  let floor = 0
  /** @type {Map<string, number>} the moment that each thing is known of */
  const known = new Map()

  /** @param {string} name @param {number} asked */
  const isNews = (name, asked) => asked > floor && asked > (known.get(name) ?? 0)

  return {
    /** To be called before a question goes out: the moment to hand in with its answer. */
    ask: () => ++moment,
    isNews,
    /** Whether a thing is known as of a moment or later. @param {string} name @param {number} since */
    isAsOf: (name, since) => (known.get(name) ?? 0) >= since,

    /**
     * Whether the answer to a question is newer than what is known of a thing; if so, it is what is known from now on.
     *
     * @param {string} name
     * @param {number} asked
     */
    take(name, asked) {
      const isNew = isNews(name, asked)
      if (isNew) known.set(name, asked)
      return isNew
    },

    /** A thing is known as of now: by an event, or the ack of a change. @param {string} name */
    told: (name) => void known.set(name, ++moment),

    /** Nothing is known, and no answer that is under way will count. */
    reset() {
      known.clear()
      floor = ++moment
    },
  }
}

export const freshness = createFreshness()
