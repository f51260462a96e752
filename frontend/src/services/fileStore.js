/**
 * The files of users that are not sent yet, by user and key. The page holds them, and so does the browser (IndexedDB) where
 * it allows that: then they outlive the page. A logout removes them, and so does the login of another user.
 */

const NAME = 'vestnik'
const STORE = 'files'

/** What this page holds, by user and key. @type {Map<string, Blob>} */
const held = new Map()
/** Those of them that only this page holds. @type {Set<string>} */
const unkept = new Set()
/** The browser asks before it closes the page. @param {BeforeUnloadEvent} event */
const ask = (event) => event.preventDefault()
/** @type {Promise<IDBDatabase> | null} */
let opening = null

/** @param {number} ownerId @param {string} key */
const heldKey = (ownerId, key) => `${ownerId} ${key}`

/** Rejects if the browser has no IndexedDB, or does not allow it here. */
function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    request.onsuccess = () => {
      request.result.onclose = () => (opening = null)
      resolve(request.result)
    }
    request.onerror = request.onblocked = () => reject(request.error)
  })
  opening.catch(() => (opening = null))
  return opening
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T>} the result, once the transaction is complete
 */
async function transact(mode, act) {
  const transaction = (await database()).transaction(STORE, mode)
  const request = act(transaction.objectStore(STORE))
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result)
    transaction.onabort = transaction.onerror = () => reject(transaction.error)
  })
}

/**
 * Keeps a file.
 *
 * @param {number} ownerId
 * @param {string} key
 * @param {Blob} file
 * @returns {Promise<boolean>} whether it outlives the page
 */
export async function keepFile(ownerId, key, file) {
  held.set(heldKey(ownerId, key), file)
  try {
    await transact('readwrite', (store) => store.put({ file, keptAt: Date.now() }, [ownerId, key]))
    return true
  } catch (error) {
    console.warn('The browser does not keep a file:', error)
    unkept.add(heldKey(ownerId, key))
    window.addEventListener('beforeunload', ask)
    return false
  }
}

/**
 * A file that can be read; null if there is none any more. A file of the disk may have changed since it was chosen: then it
 * is the copy in the browser.
 *
 * @param {number} ownerId
 * @param {string} key
 */
export async function fileOf(ownerId, key) {
  const own = held.get(heldKey(ownerId, key))
  if (own && (await isReadable(own))) return own
  try {
    const found = await transact('readonly', (store) => store.get([ownerId, key]))
    if (found) held.set(heldKey(ownerId, key), found.file)
    return /** @type {Blob | null} */ (found?.file ?? null)
  } catch {
    return null
  }
}

/** @param {Blob} file */
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer()
    return true
  } catch {
    return false
  }
}

/** @param {string} name */
function release(name) {
  held.delete(name)
  // A listener may keep browsers from holding the page ready for Back.
  if (unkept.delete(name) && !unkept.size) window.removeEventListener('beforeunload', ask)
}

/** Forgets files that are sent or not wanted any more. @param {number} ownerId @param {string[]} keys */
export async function dropFiles(ownerId, keys) {
  for (const key of keys) release(heldKey(ownerId, key))
  for (const key of keys) await transact('readwrite', (store) => store.delete([ownerId, key])).catch(() => {})
}

/** Forgets the files of some users. @param {(ownerId: number) => boolean} isWanted */
export async function forgetFiles(isWanted) {
  for (const name of [...held.keys()]) if (isWanted(parseInt(name, 10))) release(name)
  await dropWhere((ownerId) => isWanted(ownerId)).catch(() => {})
}

/**
 * Removes what the browser keeps of a user's files since before a time and is not in use: a tab that has crashed may leave
 * some.
 *
 * @param {number} ownerId
 * @param {Set<string>} used keys
 * @param {number} before in ms since 1970
 */
export async function sweepFiles(ownerId, used, before) {
  await dropWhere((id, key, keptAt) => id === ownerId && !used.has(key) && keptAt < before).catch(() => {})
}

/** @param {(ownerId: number, key: string, keptAt: number) => boolean} isWanted */
async function dropWhere(isWanted) {
  await transact('readwrite', (store) => {
    const request = store.openCursor()
    request.onsuccess = () => {
      const cursor = request.result
      if (!cursor) return
      const [ownerId, key] = /** @type {[number, string]} */ (cursor.key)
      if (isWanted(ownerId, key, cursor.value.keptAt)) cursor.delete()
      cursor.continue()
    }
    return request
  })
}
