/**
 * Questions by name: at most one is out and one waits. An answer may be older than the moment in which somebody asks
 * for it, so a question that is out does not serve those who ask now; one that has not gone out yet does.
 *
 *     const once = createOnce()
 *     await once('chat 1', () => api.get('/chats/1')) // the state of now or later
 *     await once.any('chat 1', …) // also that of a question that is out
 */
export function createOnce() {
  /** @type {Map<string, Promise<any>>} */
  const out = new Map()
  /** @type {Map<string, Promise<any>>} those that go out when the one before is answered, or after this turn */
  const waiting = new Map()

  /**
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} run asks; it begins after this call, and after the question before has its answer
   * @returns {Promise<T>}
   */
  function once(name, run) {
    const found = waiting.get(name)
    if (found) return found
    const before = out.get(name)
    const asked = begin()
    waiting.set(name, asked)
    return asked

    async function begin() {
      await before?.catch(() => {})
      waiting.delete(name)
      out.set(name, asked)
      try {
        return await run()
      } finally {
        if (out.get(name) === asked) out.delete(name)
      }
    }
  }

  /** Whether a question with this name is out or waits. @param {string} name */
  once.isAsked = (name) => out.has(name) || waiting.has(name)

  /**
   * For what is not known at all yet: the answer of a question that is out already will do.
   *
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  once.any = (name, run) => waiting.get(name) ?? out.get(name) ?? once(name, run)

  return once
}
