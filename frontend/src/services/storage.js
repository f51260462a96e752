/** What the browser keeps between visits. Where it keeps nothing for this page, things last as long as the page. */

/** @typedef {Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>} Store */

/** @type {Store} */
export const storage = usable() ? localStorage : createMemory()

/** Browsers that are told to keep no cookies throw at the first touch. */
function usable() {
  try {
    return typeof localStorage.getItem('') !== 'undefined'
  } catch {
    return false
  }
}

/** @returns {Store} */
function createMemory() {
  /** @type {Map<string, string>} */
  const kept = new Map()
  return {
    get length() {
      return kept.size
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  }
}

/** What was kept under a key; null if there is nothing, or something of another kind. @param {string} key */
export function load(key) {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

/** Keeps something, unless there is no room for it; null: no longer. @param {string} key @param {unknown} value */
export function save(key, value) {
  try {
    if (value == null) storage.removeItem(key)
    else storage.setItem(key, JSON.stringify(value))
  } catch (error) {
    console.warn('Not kept:', key, error)
  }
}
