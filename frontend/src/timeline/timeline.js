/**
 * The messages of one chat as far as they are loaded, kept as the server has them: pages over REST, changes from the
 * room, and after each break of the connection what was missed. docs/protocol.md, "Recovery", has the rules.
 *
 * @typedef {import('./stretch').Message} Message
 * @typedef {import('./stretch').Page} Page
 * @typedef {'idle' | 'loading' | 'joining' | 'live' | 'gone'} Status `idle`: not in the room; `loading`: there is no
 *   page yet, or too much was missed; `gone`: no longer a member, or the chat is deleted
 * @typedef {'newest' | 'around' | 'before' | 'after'} Load
 *
 * @typedef {object} TimelineState
 * @property {Message[]} messages in the order of `seq`, without a hole; a new array after each change
 * @property {boolean} loaded false until there is a first page
 * @property {boolean} hasBefore older ones are not loaded
 * @property {boolean} hasAfter newer ones are not loaded
 * @property {Status} status
 * @property {Load | null} loading which page is on its way
 * @property {number} generation rises when all messages are others than before, not more or fewer
 * @property {any} error why the last load or join failed; null once one succeeds
 *
 * @typedef {object} Services
 * @property {{ get: (path: string, query?: Record<string, any>) => Promise<any> }} api
 * @property {{ request: (frame: any, options?: { timeoutMs?: number }) => Promise<any>, on: (event: string, callback: (frame: any) => void) => () => void }} websocket
 */

import { shallowReactive } from 'vue'
import { createStretch } from './stretch'

const PAGE_SIZE = 50
/** On the way back to the first unread message. */
const LARGEST_PAGE = 200
/** So far back it is looked for; what is older is found by scrolling. */
const PAGES_BACK = 100
/** What a chat that nobody looks at keeps. */
const KEPT = 100
/** The ack of a join follows the replay, which may be long. */
const JOIN = { timeoutMs: 60_000 }
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000

/**
 * @param {number} chatId
 * @param {Services} services
 */
export function createTimeline(chatId, { api, websocket }) {
  const stretch = createStretch()
  /** @type {TimelineState} */
  const state = shallowReactive({
    messages: [],
    loaded: false,
    hasBefore: false,
    hasAfter: false,
    status: 'idle',
    loading: null,
    generation: 0,
    error: null,
  })
  /** The last change that is applied; null: there is nothing to go on from. @type {number | null} */
  let position = null
  /** The newest message that is known to exist is not newer than this. */
  let heard = 0
  /** What the room told while a page is on its way: the page may not have it yet. @type {Message[]} */
  let held = []
  /**
   * Where to load anew: the query of a page, or the `seq` after which it is to begin; null: the newest.
   *
   * @type {{ around: number } | { after: number, mark?: number } | { mark: number } | null}
   */
  let place = null
  /** Where what is loaded begins, if that is with the first message after a `seq`. @type {{ first: any, seq: number } | null} */
  let start = null
  /** Whether somebody has seen it live since it was entered. */
  let wasLive = false
  // Only the newest attempt to follow, and the newest load, have a say.
  let attempt = 0
  let lastLoad = 0
  let failures = 0
  /** @type {Set<(message: Message, how: { missed: boolean }) => void>} */
  const listeners = new Set()
  let retryTimer = /** @type {any} */ (undefined)

  function publish() {
    state.messages = stretch.messages
    state.hasBefore = stretch.first !== null
    state.hasAfter = stretch.last !== null
  }

  /**
   * Loads a page and hands it to `take`. False if another load has taken its place.
   *
   * @param {Load} kind
   * @param {Record<string, number> | ((isWanted: () => boolean) => Promise<Page>)} query
   * @param {(page: Page) => void} take
   */
  async function load(kind, query, take) {
    const mine = ++lastLoad
    held = []
    state.loading = kind
    try {
      const page = await (typeof query === 'function' ? query(() => mine === lastLoad) : pageOf(query))
      if (mine !== lastLoad) return false
      take(page)
      for (const message of held) stretch.put(message)
      heard = Math.max(heard, page.head_seq)
      state.error = null
      publish()
      return true
    } catch (error) {
      if (mine !== lastLoad) return false
      throw error
    } finally {
      if (mine === lastLoad) {
        held = []
        state.loading = null
      }
    }
  }

  /** @param {Record<string, number>} query @returns {Promise<Page>} */
  const pageOf = (query) => api.get(`/chats/${chatId}/messages`, { limit: PAGE_SIZE, ...query })

  /**
   * The page that has the first message after a `seq`, looked for from the newest page back, as pages begin at messages.
   *
   * @param {number} seq
   * @param {() => boolean} isWanted
   */
  async function pageFrom(seq, isWanted) {
    let page = await pageOf({ limit: LARGEST_PAGE })
    for (let pages = 1; pages < PAGES_BACK && isWanted(); pages++) {
      const first = page.messages[0]
      if (!first || !page.has_more_before || first.seq <= seq + 1) break
      const earlier = await pageOf({ before: first.id, limit: LARGEST_PAGE })
      const isRead = (earlier.messages.at(-1)?.seq ?? 0) <= seq
      if (isRead) return { ...page, isFromMark: true }
      page = earlier
    }
    return page
  }

  /** @param {Page} page */
  function replace(page) {
    start = null
    stretch.replace(page)
    state.generation++
  }

  /** The first page, or one where the reader is. False if another load has taken its place. */
  async function reload() {
    /** @param {Page} page */
    const take = (page) => {
      stretch.clear()
      replace(page)
      position = page.head_seq
      state.loaded = true
    }
    try {
      if (place !== null) return await loadPlace(place, take)
    } catch (error) {
      if (codeOf(error) !== 'invalid') throw error // after a restored backup the place may not exist
      place = null
    }
    return load('newest', {}, take)
  }

  /**
   * @param {NonNullable<typeof place>} wanted
   * @param {(page: Page) => void} take
   */
  function loadPlace(wanted, take) {
    if ('around' in wanted) return load('around', { around: wanted.around }, take)
    const { mark } = wanted
    const query =
      'after' in wanted
        ? { after: wanted.after }
        : (/** @type {() => boolean} */ isWanted) => pageFrom(wanted.mark, isWanted)
    return load('around', query, (/** @type {Page & { isFromMark?: boolean }} */ page) => {
      take(page)
      const isAtMark = 'after' in wanted || page.isFromMark
      start = isAtMark ? { first: stretch.first, seq: mark ?? (page.messages[0]?.seq ?? 1) - 1 } : null
    })
  }

  /** Goes into the room and catches up; to be called on entering and after each reconnect. */
  async function follow() {
    const mine = ++attempt
    clearTimeout(retryTimer)
    try {
      if (position === null) {
        state.status = 'loading'
        if (!(await reload()) || mine !== attempt) return
      }
      state.status = 'joining'
      const ack = await websocket.request({ type: 'join_chat', chat_id: chatId, after_seq: position }, JOIN)
      if (mine !== attempt) return
      failures = 0
      if (ack.gap) {
        position = null
        // Who was at the end goes on from there, and does not find themselves behind what they have not seen.
        const last = stretch.messages.at(-1)
        if (place === null && wasLive && last && !stretch.last) place = { after: last.id, mark: last.seq }
        return void follow()
      }
      position = ack.head_seq
      state.status = 'live'
      wasLive = true
      state.error = null
    } catch (error) {
      if (mine === attempt) failed(error)
    }
  }

  /** @param {any} error */
  function failed(error) {
    state.status = codeOf(error) === 'not_found' ? 'gone' : 'idle'
    if (codeOf(error) === 'disconnected') return // followed again once there is a connection
    state.error = error
    if (state.status === 'gone') return
    const waitMs = error.retryAfterMs ?? Math.min(FIRST_RETRY_MS * 2 ** failures++, LAST_RETRY_MS)
    retryTimer = setTimeout(follow, waitMs)
  }

  /** The room is left: nothing more of it is heard until `follow`. */
  function leave() {
    attempt++
    lastLoad++
    clearTimeout(retryTimer)
    state.status = 'idle'
    state.loading = null
    place = null
    wasLive = false
    if (stretch.last) position = null // what is old is not worth keeping up
    if (position === null) stretch.clear()
    else stretch.trim(KEPT)
    state.loaded = position !== null
    publish()
  }

  /** @param {any} frame */
  function receive(frame) {
    if (frame.chat_id !== chatId || (state.status !== 'joining' && state.status !== 'live')) return
    const next = /** @type {number} */ (position) + 1
    if (frame.seq < next) return // while joining: told to the room we had left
    if (state.status === 'live') {
      if (frame.seq > next) return void follow()
      position = next
    }
    if (frame.type === 'message_deleted') {
      stretch.remove(frame.message_id)
    } else {
      if (state.loading) held.push(frame.message)
      stretch.put(frame.message)
    }
    publish()
    if (frame.type === 'new_message' && frame.message.seq > heard) {
      heard = frame.message.seq
      for (const tell of listeners) tell(frame.message, { missed: state.status === 'joining' })
    }
  }

  const subscriptions = ['new_message', 'message_updated', 'message_deleted'].map((type) =>
    websocket.on(type, receive),
  )

  /**
   * A load that may fail: the reason is in `state.error`.
   *
   * @param {Promise<unknown>} loading
   */
  async function attended(loading) {
    try {
      await loading
    } catch (error) {
      state.error = error
    }
  }

  return {
    state,
    /** The last change that is applied; 0: none. */
    get position() {
      return position ?? 0
    },
    follow,
    leave,

    /** @param {number} id */
    get: stretch.get,
    /** Whether it was deleted while this timeline was there. @type {(id: number) => boolean} */
    isDeleted: stretch.isDeleted,

    /**
     * Tells of each new message of the chat once, also when what is loaded ends before it.
     *
     * @param {(message: Message, how: { missed: boolean }) => void} callback `missed`: written while we were away
     * @returns {() => void} ends that
     */
    onArrival(callback) {
      listeners.add(callback)
      return () => void listeners.delete(callback)
    },

    /** A message as an ack has it. @param {Message} message */
    put(message) {
      // What is not later than the position is there, or deleted; without a position the page or the replay has it.
      if (position === null || message.changed_seq <= position) return
      if (state.loading) held.push(message)
      stretch.put(message)
      publish()
    },

    /** The page before the first message; nothing while another page is on its way. */
    async loadBefore() {
      if (!stretch.first || state.loading) return
      await attended(load('before', { before: stretch.first.id }, stretch.prepend))
    },

    /** The page after the last message; nothing while another page is on its way. */
    async loadAfter() {
      if (!stretch.last || state.loading) return
      await attended(load('after', { after: stretch.last.id }, stretch.append))
    },

    /** Has the messages around this one, if it is not there. @param {number} messageId */
    async show(messageId) {
      if (stretch.get(messageId)) return
      if (position !== null) return attended(load('around', { around: messageId }, replace))
      place = { around: messageId }
      await follow()
    },

    /** Has the newest messages, if they are not there. */
    async showLatest() {
      place = null
      if (position === null) await follow()
      else if (stretch.last) await attended(load('newest', {}, replace))
    },

    /** Where the reader is, or null if at the end: that is kept if all has to be loaded anew. @param {number | null} messageId */
    stayAt(messageId) {
      place = messageId === null ? null : { around: messageId }
    },

    /**
     * Begins with what comes after a mark, if all has to be loaded anew.
     *
     * @param {object} mark
     * @param {number | null} [mark.messageId] the message that it is on; it may be deleted
     * @param {number} [mark.seq] that of the message; 0: before the first one
     */
    startAfter({ messageId, seq }) {
      if (messageId) place = { after: messageId, mark: seq }
      else if (seq !== undefined) place = { mark: seq }
    },

    /** Whether what is loaded has all messages after a `seq`, up to its end. @param {number} seq */
    reaches(seq) {
      const { first } = stretch
      return !first || first.seq <= seq + 1 || (start?.first === first && seq >= start.seq)
    },

    /** Whether what is loaded still begins where it was to begin, after a mark. */
    startsAtMark: () => start !== null && start.first === stretch.first,

    /** Loads what is before, until it reaches back to a `seq`. @param {number} seq */
    async reachBack(seq) {
      for (let pages = 0; pages < PAGES_BACK && !this.reaches(seq); pages++) {
        if (state.loading) return
        const from = /** @type {any} */ (stretch.first).id
        await attended(load('before', { before: from, limit: LARGEST_PAGE }, stretch.prepend))
        if (state.error) return
      }
    },

    /** Ends it for good. */
    dispose() {
      leave()
      for (const unsubscribe of subscriptions) unsubscribe()
    },
  }
}

/** @param {any} error */
const codeOf = (error) => error?.code
