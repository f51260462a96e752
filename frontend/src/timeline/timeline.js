/**
 * The loaded messages of one chat, kept equal to the server's: pages over REST, changes as events, and after each break
 * of the connection a replay of what was missed. docs/protocol.md, "Recovery", has the rules.
 *
 * @typedef {import('@/types').Message} Message
 * @typedef {import('@/types').Page} Page
 * @typedef {import('@/types').Failure} Failure
 * @typedef {'idle' | 'loading' | 'joining' | 'live' | 'gone'} Status `idle`: not joined; `loading`: the first page, or a
 *   new one after too much was missed, is loading; `gone`: the user is no longer a member, or the chat is deleted
 *
 * @typedef {object} TimelineState
 * @property {Message[]} messages in the order of `seq`, without a gap; a new array after each change
 * @property {boolean} loaded false until the first page is loaded
 * @property {boolean} hasBefore older messages are not loaded
 * @property {boolean} hasAfter newer messages are not loaded
 * @property {Status} status
 * @property {import('./loader').Load | null} loading the page that is loading
 * @property {number} resets counts how often all messages were replaced
 * @property {Failure | null} error why the last load or join failed; null once one succeeds
 *
 * @typedef {object} Services
 * @property {import('./pages').Api} api
 * @property {Pick<typeof import('@/services/websocket').default, 'request' | 'on'> & { state: { epoch: string | null } }} websocket
 */

import { shallowReactive } from 'vue'
import { isPart, MESSAGE_CHANGES, MESSAGE_EVENTS } from '@/events'
import { createLoader } from './loader'
import { createMessageWindow } from './messageWindow'

/** How many messages of a chat that is not open stay in memory. */
const KEPT_MESSAGES = 100
/** The ack of a join comes after the replay, which may be long. */
const JOIN = { timeoutMs: 60_000 }
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000
/** After this time a request that has no answer may hang, on a network that is gone. */
const ASKED_ANEW_MS = 1000

/**
 * @param {number} chatId
 * @param {Services} services
 */
export function createTimeline(chatId, { api, websocket }) {
  const loaded = createMessageWindow()
  /** @type {TimelineState} */
  const state = shallowReactive({
    messages: [],
    loaded: false,
    hasBefore: false,
    hasAfter: false,
    status: 'idle',
    loading: null,
    resets: 0,
    error: null,
  })
  const loader = createLoader({ chatId, api, loaded, state })
  /** The number of the last change that is applied; null: nothing is loaded. @type {number | null} */
  let position = null
  /** The store's epoch in which the position was taken: after a restored backup the number means something else. */
  let epoch = /** @type {string | null} */ (null)
  /** Where to load anew; null: at the end of the chat. @type {import('./loader').Anchor | null} */
  let anchor = null
  /**
   * The first page that is being loaded.
   *
   * @type {{ anchor: import('./loader').Anchor | null, askedAt: number, loading: Promise<boolean> } | null}
   */
  let first = null
  /** Whether it has been live since the chat was opened. */
  let wasLive = false
  let latestAttempt = 0
  let failures = 0
  /** @type {Set<(message: Message, how: { missed: boolean }) => void>} */
  const listeners = new Set()
  let retryTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)

  /** Loads the first page, at the anchor if there is one. Resolves to false if a later load has replaced this one. */
  async function reload() {
    const current = websocket.state.epoch
    /** @param {Page} page */
    const begin = (page) => {
      loaded.clear()
      position = page.head_seq
      epoch = current
      state.loaded = true
    }
    try {
      return await loader.loadAt(anchor, begin)
    } catch (error) {
      // A restored backup may not have the anchor's message.
      if (anchor === null || /** @type {Failure} */ (error).code !== 'invalid') throw error
      anchor = null
      return loader.loadAt(null, begin)
    }
  }

  /** Loads the first page as `reload` does. What was asked a moment ago, before the connection was there, is not asked twice. */
  function loadFirst() {
    const now = performance.now()
    if (first && first.anchor === anchor && now - first.askedAt < ASKED_ANEW_MS) return first.loading
    const loading = reload().finally(() => {
      if (first === asked) first = null
    })
    const asked = (first = { anchor, askedAt: now, loading })
    return loading
  }

  /** Whether what is loaded is from before a restored backup. */
  const isOfBefore = () => epoch !== null && websocket.state.epoch !== null && epoch !== websocket.state.epoch

  /** Forgets what was true in another epoch: the ids and the numbers may be those of other messages. */
  function dropAll() {
    position = epoch = anchor = first = null
    wasLive = false
    loader.forgetNewest()
  }

  /** Joins the chat and catches up. To be called when the chat is opened and after each reconnect. */
  async function follow() {
    const own = ++latestAttempt
    clearTimeout(retryTimer)
    try {
      if (position !== null && isOfBefore()) dropAll()
      if (position === null) {
        state.status = 'loading'
        if (!(await loadFirst()) || own !== latestAttempt) return
      }
      state.status = 'joining'
      const frame = { type: 'join_chat', chat_id: chatId, after_seq: position, ...(epoch && { epoch }) }
      const ack = await websocket.request(frame, JOIN)
      if (own !== latestAttempt) return
      failures = 0
      if (ack.gap) {
        position = null
        // A user who was at the end goes on from there: what they have not seen must not end up above them.
        const last = loaded.messages.at(-1)
        if (anchor === null && wasLive && last && !loaded.last) anchor = { after: last.id, mark: last.seq }
        return void follow()
      }
      position = ack.head_seq
      state.status = 'live'
      wasLive = true
      state.error = null
    } catch (error) {
      if (own === latestAttempt) failed(/** @type {Failure} */ (error))
    }
  }

  /** @param {Failure} error */
  function failed(error) {
    state.status = error.code === 'not_found' ? 'gone' : 'idle'
    if (error.code === 'disconnected') return // the next connection calls `follow`
    state.error = error
    if (state.status === 'gone') return
    const waitMs = error.retryAfterMs ?? Math.min(FIRST_RETRY_MS * 2 ** failures++, MAX_RETRY_MS)
    retryTimer = setTimeout(follow, waitMs)
  }

  /** Ignores the chat's events until `follow` is called again. The caller sends `leave_chat`. */
  function leave() {
    latestAttempt++
    first = null
    loader.cancel()
    clearTimeout(retryTimer)
    state.status = 'idle'
    anchor = null
    wasLive = false
    if (loaded.last) position = null // a window of old messages is not worth a replay
    if (position === null) loaded.clear()
    else loaded.trim(KEPT_MESSAGES)
    state.loaded = position !== null
    loader.publish()
  }

  /** @param {import('@/types').MessageFrame} frame */
  function receive(frame) {
    if (frame.chat_id !== chatId || (state.status !== 'joining' && state.status !== 'live')) return
    const next = /** @type {number} */ (position) + 1
    if (frame.seq < next) return // while joining: an event of the time before this join
    // While joining, changes before that of a part may be missing. The replay has the whole message, with all of them.
    if (isPart(frame) && state.status === 'joining') return
    if (state.status === 'live') {
      if (frame.seq > next) return void follow()
      position = next
    }
    loader.apply(() => MESSAGE_CHANGES[frame.type](loaded, frame))
    if (frame.type === 'new_message' && loader.noteNewest(frame.message.seq)) {
      for (const listener of listeners) listener(frame.message, { missed: state.status === 'joining' })
    }
  }

  const subscriptions = MESSAGE_EVENTS.map((event) =>
    websocket.on(event, (frame) => receive(/** @type {any} */ (frame))),
  )

  return {
    state,
    /** The number of the last change that is applied; 0: none. */
    get position() {
      return position ?? 0
    },
    follow,
    leave,

    /** @param {number} id */
    get: loaded.get,
    /** Whether a message was deleted while this timeline was in memory. @type {(id: number) => boolean} */
    isDeleted: loaded.isDeleted,

    /**
     * Calls back once for each new message of the chat, also for messages after the end of what is loaded.
     *
     * @param {(message: Message, how: { missed: boolean }) => void} callback `missed`: it was written while the chat was
     *   not joined
     * @returns {() => void} ends the subscription
     */
    onArrival(callback) {
      listeners.add(callback)
      return () => void listeners.delete(callback)
    },

    /** Adds a message from an ack. @param {Message} message */
    put(message) {
      // Up to the position every message is loaded, or deleted. Without a position the next page has it.
      if (position === null || message.changed_seq <= position) return
      loader.apply(() => loaded.put(message))
    },

    loadBefore: loader.loadBefore,
    loadAfter: loader.loadAfter,
    reaches: loader.reaches,
    reachBack: loader.reachBack,
    startsAtMark: loader.startsAtMark,

    /** Loads the messages around this one if it is not loaded, and if the chat has it. @param {number} messageId */
    async show(messageId) {
      if (loaded.get(messageId)) return
      if (position !== null) return loader.settle(ignoring('invalid', loader.loadAt({ around: messageId })))
      anchor = { around: messageId }
      await follow()
    },

    /** Loads the newest messages if they are not loaded. */
    async showLatest() {
      anchor = null
      if (position === null) await follow()
      else if (loaded.last) await loader.settle(loader.loadAt(null))
    },

    /**
     * Sets what the user is reading, so that it is loaded again if all messages have to be.
     *
     * @param {number | null} messageId null: the end of the chat
     */
    stayAt(messageId) {
      anchor = messageId === null ? null : { around: messageId }
    },

    /**
     * Makes the next full load begin after a read mark.
     *
     * @param {object} mark
     * @param {number | null} [mark.messageId] the message that it is on; it may be deleted
     * @param {number} [mark.seq] that of the message; 0: before the first one
     */
    startAfter({ messageId, seq }) {
      if (messageId) anchor = { after: messageId, mark: seq }
      else if (seq !== undefined) anchor = { mark: seq }
    },

    /** Ends the timeline for good. */
    dispose() {
      leave()
      for (const unsubscribe of subscriptions) unsubscribe()
    },
  }
}

/** Waits, and does not fail with this code. @param {string} code @param {Promise<unknown>} loading */
async function ignoring(code, loading) {
  try {
    await loading
  } catch (error) {
    if (/** @type {Failure} */ (error).code !== code) throw error
  }
}
