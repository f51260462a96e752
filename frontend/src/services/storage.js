/** The browser's storage. If the browser does not allow it, values last as long as the page. */

/** @typedef {Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>} Store */

/** @type {Store} */
export const storage = isUsable() ? localStorage : createMemory()

/** Browsers that block cookies throw at the first access. */
function isUsable() {
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

/** The value of a key; null if there is none, or if it is not JSON. @param {string} key */
export function load(key) {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

/** Stores a value if there is space for it; null removes the key. @param {string} key @param {unknown} value */
export function save(key, value) {
  try {
    if (value == null) storage.removeItem(key)
    else storage.setItem(key, JSON.stringify(value))
  } catch (error) {
    console.warn('Not stored:', key, error)
  }
}
