/**
 * What a user has written and the server has not acked. Each chat's messages go out in the order of writing, one after
 * the other's ack, again after each break; the server knows a repeat by its `client_id`. They are kept in `storage`,
 * a key each, so that tabs do not overwrite one another, and outlive the page.
 *
 * @typedef {object} Entry
 * @property {string} clientId
 * @property {number} chatId
 * @property {string} content
 * @property {number | null} replyTo
 * @property {number} writtenAt in ms since 1970, rising from entry to entry
 * @property {'sending' | 'failed'} state `failed`: refused for good; it waits for `retry` or `discard`
 * @property {string} [code] why it failed
 * @property {boolean} [hasLostReply] the server refused the message that it answers: another try goes without
 *
 * @typedef {import('./messageWindow').Message} Message
 *
 * @typedef {object} Services
 * @property {number} userId
 * @property {import('./timeline').Services['websocket'] & { isConnected: () => boolean }} websocket
 * @property {Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>} storage
 * @property {(message: Message) => void} [onSent] a message as the ack has it
 */

import { shallowReactive } from 'vue'
import { prefixOf } from '@/services/texts'

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 10_000

/** 32 hexadecimal digits; `crypto.randomUUID` is missing where a page comes over plain HTTP. */
function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** @param {Services} services */
export function createOutbox({ userId, websocket, storage, onSent = () => {} }) {
  const prefix = prefixOf('outbox', userId)
  /** @type {Entry[]} in the order of writing; an entry that changes is replaced */
  const entries = shallowReactive(stored())
  /** The chats one of whose messages is under way, or waits for another try. @type {Set<number>} */
  const busy = new Set()
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  const timers = new Set()
  let disposed = false

  function stored() {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '')
    const found = keys.filter((key) => key.startsWith(prefix)).map((key) => storage.getItem(key) ?? '')
    return found
      .map((text) => /** @type {Entry} */ (JSON.parse(text)))
      .sort((a, b) => a.writtenAt - b.writtenAt)
  }

  /** @param {Entry} entry */
  function enqueue(entry) {
    entries.push(entry)
    keep(entry)
    pump(entry.chatId)
  }

  /** Now, but later than all that waits. */
  function now() {
    return Math.max(Date.now(), ...entries.map(({ writtenAt }) => writtenAt + 1))
  }

  /** @param {Entry} entry */
  function keep(entry) {
    try {
      storage.setItem(prefix + entry.clientId, JSON.stringify(entry))
    } catch {
      // The storage is full or forbidden: the entry lives as long as the page.
    }
  }

  /** @param {string} clientId */
  function take(clientId) {
    const index = entries.findIndex((entry) => entry.clientId === clientId)
    if (index >= 0) entries.splice(index, 1)
    storage.removeItem(prefix + clientId)
  }

  /** @param {Entry} entry */
  function update(entry) {
    if (disposed) return // what it left may have been taken away with the session
    const index = entries.findIndex(({ clientId }) => clientId === entry.clientId)
    if (index < 0) return
    entries[index] = entry
    keep(entry)
  }

  /** @param {Entry} entry @param {any} error */
  function refused(entry, { code, fields }) {
    const hasLostReply = entry.replyTo !== null && fields?.reply_to !== undefined
    update({ ...entry, state: 'failed', code, ...(hasLostReply && { hasLostReply }) })
  }

  /**
   * Sends what the chat has, until it is empty or the connection breaks.
   *
   * @param {number} chatId
   */
  async function pump(chatId) {
    if (busy.has(chatId)) return
    busy.add(chatId)
    for (let failures = 0; !disposed && websocket.isConnected();) {
      const entry = entries.find((one) => one.chatId === chatId && one.state === 'sending')
      if (!entry) break
      const error = await attempt(entry)
      if (!error) failures = 0
      else if (error.code === 'disconnected') continue
      else if (!error.retryable) refused(entry, error)
      else await pause(error.retryAfterMs ?? Math.min(FIRST_RETRY_MS * 2 ** failures++, LAST_RETRY_MS))
    }
    busy.delete(chatId)
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<any>} why it is not sent, or undefined
   */
  async function attempt({ clientId, chatId, content, replyTo }) {
    try {
      const frame = { type: 'send_message', chat_id: chatId, content, client_id: clientId }
      const ack = await websocket.request(replyTo ? { ...frame, reply_to: replyTo } : frame)
      onSent(ack.message)
      take(clientId)
    } catch (error) {
      return error
    }
  }

  /** @param {number} ms */
  function pause(ms) {
    return new Promise((resolve) => timers.add(setTimeout(resolve, ms)))
  }

  function resume() {
    for (const chatId of new Set(entries.map((entry) => entry.chatId))) pump(chatId)
  }

  /** Stored already: the echo may come before the ack, and also if the ack is lost. @param {any} frame */
  function echoed({ message }) {
    if (message.sender_id === userId && message.client_id) take(message.client_id)
  }

  /** Another tab has sent or discarded it. @param {StorageEvent} event */
  function elsewhere({ key, newValue }) {
    if (key?.startsWith(prefix) && newValue === null) take(key.slice(prefix.length))
  }

  const subscriptions = [websocket.on('connected', resume), websocket.on('new_message', echoed)]
  window.addEventListener('storage', elsewhere)
  resume()

  return {
    entries,

    /**
     * @param {number} chatId
     * @param {string} content
     * @param {{ replyTo?: number | null }} options
     */
    send(chatId, content, { replyTo = null } = {}) {
      enqueue({ clientId: newClientId(), chatId, content, replyTo, writtenAt: now(), state: 'sending' })
    },

    /** Tries a failed one again, after all that waits. @param {string} clientId */
    retry(clientId) {
      const entry = entries.find((one) => one.clientId === clientId)
      if (entry?.state !== 'failed') return
      take(clientId)
      const { hasLostReply, ...kept } = entry
      const replyTo = hasLostReply ? null : entry.replyTo
      enqueue({ ...kept, replyTo, state: 'sending', code: undefined, writtenAt: now() })
    },

    discard: take,

    /** Ends it; what is not sent stays stored. */
    dispose() {
      disposed = true
      for (const timer of timers) clearTimeout(timer)
      for (const unsubscribe of subscriptions) unsubscribe()
      window.removeEventListener('storage', elsewhere)
    },
  }
}
