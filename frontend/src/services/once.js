/**
 * Shares requests by name: at most one is out and one waits. The answer of a request that is out may be older than the
 * moment of the call, so the call shares the waiting request instead, which goes out after that answer.
 *
 *     const once = createOnce()
 *     await once('chat 1', () => api.get('/chats/1')) // the state of now or later
 *     await once.any('chat 1', …) // the answer of a request that is out counts too
 */
export function createOnce() {
  /** @type {Map<string, Promise<any>>} */
  const out = new Map()
  /** @type {Map<string, Promise<any>>} they go out after the one that is out has its answer, or else in the next microtask */
  const waiting = new Map()

  /**
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} request it is called after this call, and after the answer of the request that is out
   * @returns {Promise<T>}
   */
  function once(name, request) {
    const found = waiting.get(name)
    if (found) return found
    const before = out.get(name)
    const answer = begin()
    waiting.set(name, answer)
    return answer

    async function begin() {
      await before?.catch(() => {})
      waiting.delete(name)
      out.set(name, answer)
      try {
        return await request()
      } finally {
        if (out.get(name) === answer) out.delete(name)
      }
    }
  }

  /** Whether a request of this name is out or waits. @param {string} name */
  once.isPending = (name) => out.has(name) || waiting.has(name)

  /**
   * For what is not known at all yet: shares the request that is out as well.
   *
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} request
   * @returns {Promise<T>}
   */
  once.any = (name, request) => waiting.get(name) ?? out.get(name) ?? once(name, request)

  return once
}
