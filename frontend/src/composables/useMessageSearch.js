import { tryOnScopeDispose } from '@vueuse/core'
import { ref, shallowRef, toValue, watch } from 'vue'
import { MESSAGE_CHANGES, MESSAGE_EVENTS } from '@/events'
import api, { ApiError } from '@/services/api'
import { hasLink, matches } from '@/text/searchHits'
import { parseQuery } from '@/text/searchWords'
import { onEvent } from './onEvent'

/** The search begins this much later than the last key. */
const TYPING_MS = 250
/** The server takes five searches a second; these are four. */
const GAP_MS = 250
/** While the server indexes messages it is asked this often. */
const INDEXING_MS = 5_000
const PAGE_SIZE = 20
const LARGEST_PAGE = 100

/**
 * @typedef {import('@/types').Message} Message
 * @typedef {{ q: string, chatId: number | null, fromId: number | null, has: string | null }} Wanted
 */

/** Whether the server is still indexing messages. It says so only in words. @param {ApiError} error */
export const isIndexing = (error) => error.code === 'unavailable' && /being indexed/.test(error.message)

/** How long to wait before the same request is made again; null: until the user, or a new connection, asks for it. @param {ApiError} error */
function waitMsOf(error) {
  if (error.code === 'rate_limited') return error.retryAfterMs ?? 1_000
  return isIndexing(error) ? (error.retryAfterMs ?? INDEXING_MS) : null
}

/**
 * Searches for messages while the user types. What is shown always belongs to the present query: an answer to an earlier one
 * does not count, messages that the next letter excludes go at once, and so do messages that are deleted or edited and chats
 * that the user leaves, also while an answer is under way.
 *
 * @param {import('vue').MaybeRefOrGetter<Wanted | null>} wanted null: no search
 */
export function useMessageSearch(wanted) {
  /** @type {import('vue').ShallowRef<Message[]>} */
  const items = shallowRef([])
  /**
   * `waiting`: the server cannot answer yet, and is asked again; `failed`: why is in `failure`.
   *
   * @type {import('vue').Ref<'idle' | 'searching' | 'ready' | 'waiting' | 'failed'>}
   */
  const state = ref('idle')
  /** @type {import('vue').ShallowRef<ApiError | null>} */
  const failure = shallowRef(null)
  /** @type {import('vue').Ref<string | null>} where the next page begins */
  const cursor = ref(null)
  /** What events have said of messages since the query began; null: deleted. @type {Map<number, Message | null>} */
  const changed = new Map()
  /** Chats that the user has left since then. @type {Set<number>} */
  const left = new Set()
  let latest = 0
  let sentAt = -Infinity
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)
  let again = () => {}

  /** @param {() => void} act @param {number} ms */
  function later(act, ms) {
    clearTimeout(timer)
    timer = setTimeout(act, ms)
  }

  /**
   * Requests a page, not sooner than the server takes it.
   *
   * @param {string | null} from null: the first page, which replaces what is shown
   * @param {number} [limit]
   */
  function load(from, limit = PAGE_SIZE) {
    const mine = ++latest
    again = () => load(from, limit)
    state.value = 'searching'
    later(() => request(mine, from, limit), Math.max(0, sentAt + GAP_MS - Date.now()))
  }

  /** @param {number} mine @param {string | null} from @param {number} limit */
  async function request(mine, from, limit) {
    const { q, chatId, fromId, has } = /** @type {Wanted} */ (toValue(wanted))
    sentAt = Date.now()
    try {
      const query = { q: q || null, chat_id: chatId, from: fromId, has, cursor: from, limit }
      const page = await api.get('/messages/search', query)
      if (mine !== latest) return
      const found = page.messages.flatMap(asKnown)
      items.value = from === null ? found : [...items.value, ...found]
      cursor.value = page.next_cursor
      failure.value = null
      // The server ends a search that costs too much, and goes on with the next page.
      if (found.length === 0 && cursor.value !== null) load(cursor.value, limit)
      else state.value = 'ready'
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (mine === latest) failed(error)
    }
  }

  /** @param {ApiError} error */
  function failed(error) {
    failure.value = error
    const waitMs = waitMsOf(error)
    state.value = waitMs === null ? 'failed' : 'waiting'
    if (waitMs !== null) later(again, waitMs)
  }

  /** A message of an answer as events have left it: none if it is gone. @param {Message} message @returns {Message[]} */
  function asKnown(message) {
    const newer = changed.get(message.id)
    if (newer === null || left.has(message.chat_id)) return []
    return newer && newer.changed_seq > message.changed_seq ? fitting(newer) : [message]
  }

  /** @param {Message} message @returns {Message[]} */
  function fitting(message) {
    const { q = '', has = null } = toValue(wanted) ?? {}
    const { content, attachments = [] } = message
    const text = [content, ...attachments.map(({ name }) => name)].join('\n')
    const fits = matches(text, parseQuery(q)) && (has !== 'link' || hasLink(content))
    return fits && (has !== 'file' || attachments.length) ? [message] : []
  }

  watch(
    () => toValue(wanted),
    (now, before) => {
      if (JSON.stringify(now) === JSON.stringify(before)) return
      latest++ // an answer that is still under way is for an earlier query
      clearTimeout(timer)
      changed.clear()
      left.clear()
      cursor.value = null
      failure.value = null
      const isSameButText =
        now && before && JSON.stringify({ ...now, q: '' }) === JSON.stringify({ ...before, q: '' })
      items.value = isSameButText ? items.value.flatMap(fitting) : []
      state.value = now ? 'searching' : 'idle'
      if (now) later(() => load(null), now.q && (!before || isSameButText) ? TYPING_MS : 0)
    },
    { immediate: true },
  )

  const changes = {
    /** @param {number} id */
    get: (id) => items.value.find((message) => message.id === id) ?? changed.get(id) ?? undefined,
    /** @param {Message} message */
    put(message) {
      const isShown = items.value.some(({ id }) => id === message.id)
      if (!isShown && state.value !== 'searching') return
      changed.set(message.id, message)
      if (isShown) items.value = items.value.flatMap((one) => (one.id === message.id ? asKnown(one) : [one]))
    },
    /** @param {number} id */
    remove(id) {
      changed.set(id, null)
      items.value = items.value.filter((message) => message.id !== id)
    },
  }
  for (const event of MESSAGE_EVENTS) onEvent(event, (frame) => MESSAGE_CHANGES[event](changes, frame))
  onEvent('chat_removed', ({ chat_id }) => {
    left.add(chat_id)
    items.value = items.value.filter((message) => message.chat_id !== chat_id)
  })
  onEvent('chat_added', ({ chat_id }) => void left.delete(chat_id))
  // Without a connection, changes of messages were missed.
  onEvent('connected', () => {
    if (toValue(wanted)) load(null, Math.min(Math.max(items.value.length, PAGE_SIZE), LARGEST_PAGE))
  })
  tryOnScopeDispose(() => {
    latest++
    clearTimeout(timer)
  })

  return {
    items,
    state,
    failure,
    cursor,
    loadMore: () => state.value === 'ready' && cursor.value !== null && load(cursor.value),
    retry: () => again(),
  }
}
