/**
 * Runs what is handed in, so many at once, in the order it came.
 *
 * @param {number} atOnce
 */
export function createQueue(atOnce) {
  /** @type {(() => void)[]} */
  const waiting = []
  let running = 0

  /**
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  return async function enqueue(run) {
    if (running >= atOnce) await new Promise((go) => waiting.push(() => go(null)))
    running++
    try {
      return await run()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}

/** What is under way by name, so that nobody asks twice at once. */
export function createOnce() {
  /** @type {Map<string, Promise<any>>} */
  const running = new Map()

  /**
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  return function once(name, run) {
    const found = running.get(name)
    if (found) return found
    const started = run().finally(() => running.delete(name))
    running.set(name, started)
    return started
  }
}
