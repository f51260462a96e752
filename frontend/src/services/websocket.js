/**
 * The WebSocket of a chat: one connection that reconnects by itself, with subscriptions to its frames.
 *
 * It needs nothing but a browser. Copy this file into any project whose server has `/ws?token=JWT`, sends JSON frames
 * `{type, …}` and begins with `{type: 'connected', user_id}`.
 *
 *     import websocket from '@/services/websocket'
 *     websocket.connect(token)
 *     const unsubscribe = websocket.on('new_message', (frame) => console.log(frame.message.content))
 *     websocket.send({ type: 'typing', chat_id: 123, is_typing: true })
 *
 * @typedef {Record<string, any> & { type: string }} Frame
 * @typedef {(options: { fresh: boolean }) => string | Promise<string>} TokenFunction `fresh`: the last token was
 *   refused or ends soon. If the function throws, the connection fails.
 * @typedef {'idle' | 'connecting' | 'connected' | 'waiting' | 'failed' | 'closed'} Status `waiting`: until `retryAt`;
 *   `failed`: until `retry()`; `closed`: by `disconnect()`
 * @typedef {object} State
 * @property {Status} status
 * @property {number} attempt the number of the present or next attempt to reconnect; 0 before the first loss
 * @property {number} maxAttempts
 * @property {number | null} retryAt the time of the next attempt, in ms since 1970
 * @property {number | null} code the close code of the last loss
 * @property {string} reason the close reason of the last loss
 * @property {number | null} userId the user of the connection, from the first `connected` on
 * @property {string | null} epoch the server's name for its data, from `connected`; it changes with a restored backup
 * @property {boolean} isOffline the browser has reported a lost network, and no frame has come since
 */

const MAX_ATTEMPTS = 5
const FIRST_DELAY_MS = 1000
const CONNECT_TIMEOUT_MS = 10_000
/** A connection that was lost sooner than this does not reset the count of attempts. */
const STABLE_MS = 5_000
const PING_INTERVAL_MS = 25_000
const PONG_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 10_000
/** After this long without an answer to a request, a ping checks whether the server is still there. */
const PROBE_AFTER_MS = 3_000
const PROBE_TIMEOUT_MS = 4_000

const GOING_AWAY = 1001
const BAD_TOKEN = 4401
const SILENT = 4408
/** The server would refuse again: protocol abuse, a frame too large, not allowed, too many connections. */
const FINAL_CODES = [1008, 1009, 4403, 4429]

/** Why a request got no ack. `code` is the server's, or `disconnected` or `timeout`. */
export class RequestError extends Error {
  /** @param {{ code: string, message?: string, retryable?: boolean, retry_after_ms?: number, fields?: object }} error */
  constructor({ code, message = code, retryable = false, retry_after_ms, fields }) {
    super(message)
    this.name = 'RequestError'
    this.code = code
    this.retryable = retryable
    this.retryAfterMs = retry_after_ms
    this.fields = fields
  }
}

/**
 * The wait before an attempt: 1, 2, 4, 8, 16 s, less a random part of up to a half, so that clients do not all come back
 * at the same time.
 *
 * @param {number} attempt from 1
 */
export function delayMs(attempt, random = Math.random) {
  return Math.round(FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + random() / 2))
}

/** The address from `VITE_WS_URL` (scheme and host), else the page's own. */
function defaultUrl() {
  const configured = import.meta.env?.VITE_WS_URL
  return (configured || window.location.origin).replace(/^http/, 'ws').replace(/\/+$/, '') + '/ws'
}

/**
 * Creates a connection service. `url` is the address without the token, or a function that returns it; `random` is for
 * tests.
 *
 * @param {{ url?: string | (() => string), random?: () => number }} options
 */
export function createWebSocket({ url = defaultUrl, random = Math.random } = {}) {
  /** @type {Map<string, Set<{ callback: (frame: Frame) => void }>>} */
  const subscriptions = new Map()
  /** @type {Set<{ callback: (state: State) => void }>} */
  const watchers = new Set()
  /** @type {Map<string, { resolve: (ack: Frame) => void, reject: (error: Error) => void, probing: any, timer: any }>} */
  const requests = new Map()

  /** @type {State} */
  let state = Object.freeze({
    status: 'idle',
    attempt: 0,
    maxAttempts: MAX_ATTEMPTS,
    retryAt: null,
    code: null,
    reason: '',
    userId: null,
    epoch: null,
    isOffline: false,
  })
  /** @type {string | TokenFunction | undefined} */
  let tokenSource
  /** Where the token is sent. @type {'query' | 'subprotocol'} */
  let tokenPlace = 'query'
  /** @type {WebSocket | null} */
  let socket = null
  let connectedAt = 0
  let freshTried = false
  let lastRequest = 0
  /** Whether the pending ping is a probe, with the shorter timeout. */
  let isProbing = false
  /** The timer of the present attempt, wait or ping. There is one of these at a time. */
  let timer = /** @type {any} */ (undefined)

  /** @param {Partial<State>} changes */
  function setState(changes) {
    state = Object.freeze({ ...state, ...changes })
    call(watchers, state)
  }

  /**
   * @template T
   * @param {Set<{ callback: (value: T) => void }> | undefined} entries
   * @param {T} value
   */
  function call(entries, value) {
    for (const entry of [...(entries ?? [])]) {
      if (!entries?.has(entry)) continue // unsubscribed by an earlier callback
      try {
        entry.callback(value)
      } catch (error) {
        console.error('A WebSocket callback failed:', error)
      }
    }
  }

  /**
   * Connects, and reconnects from then on. Does nothing if it is connected, or connecting, with this token already.
   *
   * @param {string | TokenFunction} [token] left out: that of the last call
   * @param {{ tokenIn?: 'query' | 'subprotocol' }} [options] `subprotocol`: sends the token as the pair `bearer, TOKEN`, so
   *   that it is in no address, which browsers write into their consoles. The server has to support it.
   */
  function connect(token = tokenSource, { tokenIn = tokenPlace } = {}) {
    const same = token === tokenSource && tokenIn === tokenPlace
    tokenSource = token
    tokenPlace = tokenIn
    if (same && ['connecting', 'connected', 'waiting'].includes(state.status)) return
    window.addEventListener('online', comeBack)
    window.addEventListener('online', isOnline)
    window.addEventListener('offline', isOffline)
    document.addEventListener('visibilitychange', comeBack)
    freshTried = false
    drop()
    setState({ attempt: 0, code: null, reason: '' })
    open()
  }

  /** Ends the connection for good. */
  function disconnect() {
    window.removeEventListener('online', comeBack)
    window.removeEventListener('online', isOnline)
    window.removeEventListener('offline', isOffline)
    document.removeEventListener('visibilitychange', comeBack)
    const wasOpen = socket !== null
    drop()
    setState({ status: 'closed', attempt: 0, retryAt: null, code: wasOpen ? 1000 : state.code, reason: '' })
    if (wasOpen) console.log('WebSocket closed:', 1000, '')
  }

  /**
   * Connects now instead of at `retryAt`, or again after the last attempt has failed. All attempts are available again.
   *
   * @param {{ once?: boolean } | Event} [options] `once`: makes one attempt only
   */
  function retry(options) {
    if (!['waiting', 'failed'].includes(state.status)) return
    freshTried = false
    const isLast = options !== undefined && 'once' in options && options.once
    setState({ attempt: isLast ? MAX_ATTEMPTS : 0 })
    open()
  }

  /** The browser reports a lost network at once. A server on the same machine needs none, so a ping asks it. */
  function isOffline() {
    setState({ isOffline: true })
    probe()
  }

  function isOnline() {
    if (state.isOffline) setState({ isOffline: false })
  }

  /** The network is back, or the user looks at the tab again. */
  function comeBack() {
    const usedUp = state.status === 'failed' && !FINAL_CODES.concat(BAD_TOKEN).includes(state.code ?? 0)
    if (document.visibilityState !== 'hidden' && (usedUp || state.status === 'waiting')) retry()
  }

  async function open({ fresh = false } = {}) {
    clearTimeout(timer)
    const mine = (socket = /** @type {any} */ ({ close() {} })) // a placeholder for this attempt until there is a token
    setState({ status: 'connecting', retryAt: null })
    let token
    try {
      token = typeof tokenSource === 'function' ? await tokenSource({ fresh }) : tokenSource
    } catch (error) {
      if (socket === mine) fail(BAD_TOKEN, `no token: ${error instanceof Error ? error.message : error}`)
      return
    }
    if (socket !== mine) return // disconnected meanwhile
    if (!token) return fail(BAD_TOKEN, 'no token')
    const opened = openSocket(typeof url === 'function' ? url() : url, token)
    socket = opened
    // Events of a socket that was replaced are ignored.
    opened.onmessage = ({ data }) => socket === opened && receive(data)
    opened.onclose = ({ code, reason }) => socket === opened && closed(code, reason)
    timer = setTimeout(() => lose(SILENT, 'no answer'), CONNECT_TIMEOUT_MS)
  }

  /** @param {string} address @param {string} token */
  function openSocket(address, token) {
    // The characters of a subprotocol name. Every JWT consists of them.
    const fits = /^[\w!#$%&'*+.^`|~-]+$/.test(token)
    if (tokenPlace === 'subprotocol' && fits) return new WebSocket(address, ['bearer', token])
    return new WebSocket(`${address}?token=${encodeURIComponent(token)}`)
  }

  /** @param {string} data */
  function receive(data) {
    /** @type {Frame} */
    let frame
    try {
      frame = JSON.parse(data)
    } catch {
      return console.error('A WebSocket message is not JSON:', data)
    }
    console.log('📨 WebSocket message:', frame)
    if (frame.type === 'connected') {
      const { user_id: userId = null, epoch = null } = frame
      connectedAt = Date.now()
      console.log('✅ WebSocket connected')
      setState({ status: 'connected', retryAt: null, code: null, reason: '', userId, epoch })
    }
    if (state.isOffline) setState({ isOffline: false })
    if (isConnected()) {
      isProbing = false
      clearTimeout(timer) // any frame shows that the server is there
      timer = setTimeout(() => ping(), PING_INTERVAL_MS)
    }
    if ((frame.type === 'ack' || frame.type === 'error') && requests.has(frame.id)) settle(frame)
    if (frame.type === 'token_expiring') renew()
    call(subscriptions.get(frame.type), frame)
    call(subscriptions.get('*'), frame)
  }

  function ping(timeoutMs = PONG_TIMEOUT_MS) {
    send({ type: 'ping' })
    timer = setTimeout(() => lose(SILENT, 'no pong'), timeoutMs)
  }

  /** Sends a ping with the shorter timeout. */
  function probe() {
    if (!isConnected() || isProbing) return
    clearTimeout(timer)
    isProbing = true
    ping(PROBE_TIMEOUT_MS)
  }

  /** Gives up a connection without waiting for the server to confirm the close, which could take minutes. */
  function lose(/** @type {number} */ code, /** @type {string} */ reason) {
    drop(code)
    closed(code, reason)
  }

  /** Closes the socket and fails all requests, without a change of state. */
  function drop(code = 1000) {
    clearTimeout(timer)
    isProbing = false
    const old = socket
    socket = null
    old?.close(code)
    for (const id of [...requests.keys()]) {
      settle({ type: 'error', id, code: 'disconnected', message: 'the connection is lost', retryable: true })
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  function closed(code, reason) {
    const stable = isConnected() && Date.now() - connectedAt >= STABLE_MS
    drop()
    console.log('WebSocket closed:', code, reason)
    if (isConnected()) freshTried = false
    if (FINAL_CODES.includes(code)) return fail(code, reason)
    if (code === BAD_TOKEN) {
      if (typeof tokenSource !== 'function' || freshTried) return fail(code, reason)
      freshTried = true
      return open({ fresh: true })
    }
    const attempt = (stable ? 0 : state.attempt) + 1
    if (attempt > MAX_ATTEMPTS) return fail(code, reason)
    const waitMs = (code === GOING_AWAY && retryInMs(reason)) || delayMs(attempt, random)
    console.log('Reconnecting...', `attempt ${attempt} of ${MAX_ATTEMPTS} in ${waitMs} ms`)
    setState({ status: 'waiting', attempt, retryAt: Date.now() + waitMs, code, reason })
    timer = setTimeout(open, waitMs)
  }

  /** @param {number} code @param {string} reason */
  function fail(code, reason) {
    drop()
    setState({ status: 'failed', retryAt: null, code, reason })
  }

  /** Sends a new token before the old one ends. If that fails, the server ends the connection, which reconnects. */
  async function renew() {
    if (typeof tokenSource !== 'function') return
    try {
      await request({ type: 'refresh_token', token: await tokenSource({ fresh: true }) })
    } catch (error) {
      console.warn('The token was not renewed:', error)
    }
  }

  /**
   * Sends a frame. Returns false, and drops the frame, if there is no connection.
   *
   * @param {Frame} frame
   */
  function send(frame) {
    if (!isConnected() || socket?.readyState !== WebSocket.OPEN) return false
    socket.send(JSON.stringify(frame))
    return true
  }

  /**
   * Sends a frame with an `id` and resolves to its ack. The server has to answer frames that have an `id`. Rejects with a
   * `RequestError`.
   *
   * @param {Frame} frame
   * @returns {Promise<Frame>}
   */
  function request(frame, { timeoutMs = REQUEST_TIMEOUT_MS } = {}) {
    return new Promise((resolve, reject) => {
      const id = `r${++lastRequest}`
      if (!send({ ...frame, id })) {
        return reject(new RequestError({ code: 'disconnected', message: 'not connected', retryable: true }))
      }
      const late = () =>
        settle({ type: 'error', id, code: 'timeout', message: 'no answer in time', retryable: true })
      const probing = setTimeout(probe, PROBE_AFTER_MS)
      requests.set(id, { resolve, reject, probing, timer: setTimeout(late, timeoutMs) })
    })
  }

  /** @param {Frame} answer */
  function settle(answer) {
    const waiting = requests.get(answer.id)
    if (!waiting) return
    requests.delete(answer.id)
    clearTimeout(waiting.timer)
    clearTimeout(waiting.probing)
    if (answer.type === 'ack') waiting.resolve(answer)
    else waiting.reject(new RequestError(/** @type {any} */ (answer)))
  }

  /**
   * Subscribes to the frames of a type, or to all frames with `'*'`.
   *
   * @param {string} event
   * @param {(frame: Frame) => void} callback
   * @returns {() => void} ends the subscription
   */
  function on(event, callback) {
    const entries = subscriptions.get(event) ?? new Set()
    subscriptions.set(event, entries)
    const entry = { callback }
    entries.add(entry)
    return () => {
      entries.delete(entry)
      if (!entries.size && subscriptions.get(event) === entries) subscriptions.delete(event)
    }
  }

  /**
   * Ends all subscriptions of this callback to this event.
   *
   * @param {string} event
   * @param {(frame: Frame) => void} callback
   */
  function off(event, callback) {
    const entries = subscriptions.get(event)
    for (const entry of entries ?? []) if (entry.callback === callback) entries?.delete(entry)
  }

  /**
   * Calls back with each new state.
   *
   * @param {(state: State) => void} callback
   * @returns {() => void} ends the subscription
   */
  function onState(callback) {
    const entry = { callback }
    watchers.add(entry)
    return () => void watchers.delete(entry)
  }

  /** True from the frame `connected` until the connection is lost. */
  function isConnected() {
    return state.status === 'connected'
  }

  return {
    connect,
    disconnect,
    retry,
    send,
    request,
    on,
    off,
    onState,
    isConnected,
    /** @returns {State} */
    get state() {
      return state
    },
  }
}

/** @param {string} reason the close reason of a server that goes away: `{"retry_in_ms": N}` */
function retryInMs(reason) {
  try {
    const ms = JSON.parse(reason).retry_in_ms
    return Number.isFinite(ms) && ms >= 0 ? Math.max(ms, 1) : null
  } catch {
    return null
  }
}

const websocket = createWebSocket()
export default websocket

// So that `websocket.isConnected()` answers in the browser's console.
if (typeof window !== 'undefined') Object.assign(window, { websocket })
