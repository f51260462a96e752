import pLimit from 'p-limit'
import { computed, ref } from 'vue'
import api, { ApiError } from '@/services/api'
import { freshness } from '@/services/freshness'
import websocket from '@/services/websocket'

const PAGE_SIZE = 50
const LARGEST_PAGE = 200
const RETRY_MS = 5_000
/** The rest of a long list is loaded this much later than its visible part. */
const REST_AFTER_MS = 1_000
const CHECKS_AT_ONCE = 3

/**
 * Loads the list of chats, page by page.
 *
 * @param {object} options
 * @param {ReturnType<typeof import('./chatRecords').createChatRecords>} options.records
 * @param {ReturnType<typeof import('./session').useSession>} options.session
 * @param {ReturnType<typeof import('@/services/once').createOnce>} options.once
 * @param {(answer: import('@/types').Chat, requestedAt: number) => unknown} options.apply
 * @param {(chatId: number) => Promise<void>} options.check requests a chat that is missing in the list
 * @param {(chatIds: number[]) => void} options.onLoaded gets the ids of the chats that are known then
 */
export function createChatList({ records, session, once, apply, check, onLoaded }) {
  /** @type {import('vue').Ref<'idle' | 'loading' | 'ready' | 'failed'>} */
  const state = ref('idle')
  /** @type {import('vue').Ref<string | null>} where the next page begins */
  const cursor = ref(null)
  const hasMore = computed(() => cursor.value !== null)
  /** One load at a time: each goes on from the cursor that the one before has left. */
  const enqueue = pLimit(1)
  const enqueueCheck = pLimit(CHECKS_AT_ONCE)
  /** When the list that was loaded last was requested. */
  let requestedAt = 0
  let restTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)

  /**
   * Loads the list anew, as far down as it was loaded, and the rest of it a little later, because the total of unread
   * messages covers the whole list. A failure shows in `state`; it is tried again while there is a connection.
   */
  function load() {
    return once('list', () => enqueue(loadTop))
  }

  async function loadTop() {
    if (!session.isLoggedIn) return
    clearTimeout(restTimer)
    state.value = 'loading'
    const { life } = session
    const begun = freshness.start()
    try {
      const found = await loadPages(null, records.chats.size)
      if (session.life !== life) return
      requestedAt = begun
      state.value = 'ready'
      const known = [...records.chats.keys()]
      for (const id of known.filter((id) => !found.has(id))) {
        // Either the chat is gone, or it is hidden, or further down, or it moved up while the pages were read.
        enqueueCheck(() => check(id))
      }
      onLoaded(known)
      loadRestSoon(REST_AFTER_MS)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      state.value = 'failed'
      if (error.retryable && websocket.isConnected()) setTimeout(load, error.retryAfterMs ?? RETRY_MS)
    }
  }

  /** @param {number} ms */
  function loadRestSoon(ms) {
    clearTimeout(restTimer)
    if (!hasMore.value) return
    restTimer = setTimeout(async () => {
      try {
        await loadAll()
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.retryable && websocket.isConnected()) loadRestSoon(error.retryAfterMs ?? RETRY_MS)
      }
    }, ms)
  }

  /** @param {number} wanted how many chats */
  async function loadFromCursor(wanted) {
    if (cursor.value) await loadPages(cursor.value, wanted)
  }

  /** Loads the next page. Does nothing at the end of the list. @throws {ApiError} */
  function loadMore() {
    return once('more', () => enqueue(() => loadFromCursor(1)))
  }

  /** Loads the rest of the list. @throws {ApiError} */
  function loadAll() {
    return once('all', () => enqueue(() => loadFromCursor(Infinity)))
  }

  /**
   * Loads pages until there are enough chats or no more.
   *
   * @param {string | null} from null: the top
   * @param {number} wanted how many chats
   * @returns {Promise<Set<number>>} their ids
   */
  async function loadPages(from, wanted) {
    const { life } = session
    /** @type {Set<number>} */
    const found = new Set()
    let next = from
    do {
      const limit = Math.min(Math.max(wanted - found.size, PAGE_SIZE), LARGEST_PAGE)
      const at = freshness.start()
      const page = await api.get('/chats', { cursor: next, limit })
      if (session.life !== life) return found // another user has logged in, or a backup was restored
      for (const chat of page.chats) {
        apply(chat, at)
        found.add(chat.id)
      }
      next = page.next_cursor
    } while (next && found.size < wanted)
    cursor.value = next
    return found
  }

  function clear() {
    clearTimeout(restTimer)
    cursor.value = null
    state.value = 'idle'
  }

  /** Whether a request for the list, or a part of it, is under way. */
  const isPending = () => ['list', 'more', 'all'].some(once.isPending)
  /** Whether the list was requested later than something else. @param {number} at */
  const isLaterThan = (at) => at < requestedAt

  return { state, hasMore, load, loadMore, loadAll, clear, isPending, isLaterThan }
}
