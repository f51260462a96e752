/**
 * The messages of a user that the server has not acked. The messages of a chat are sent in the order of writing, each after
 * the ack of the one before, and again after a lost connection; the server recognizes a repeat by its `client_id`. Each is
 * stored under a key of its own in `storage`, so that it outlives the page and tabs do not overwrite one another.
 *
 * A message with files is sent when its files are uploaded. Messages that were written later do not wait for that.
 *
 * @typedef {object} UnsentFile
 * @property {string} key under which the browser keeps it
 * @property {string} name
 * @property {string} type as the browser calls it; may be empty
 * @property {number} size
 * @property {number} [width] of a picture that the browser can show
 * @property {number} [height]
 * @property {boolean} [isKept] false: it does not outlive the page
 * @property {string} [uploadId] once the server has it
 *
 * @typedef {object} Entry
 * @property {string} clientId
 * @property {number} chatId
 * @property {string} content
 * @property {number | null} replyTo
 * @property {number} writtenAt in ms since 1970, rising from entry to entry
 * @property {'sending' | 'failed'} state `failed`: the server has refused it; it waits for `retry` or `discard`
 * @property {string} [code] why it failed
 * @property {number} [retryAt] when it is sent again, in ms since 1970, if the server has asked to wait
 * @property {boolean} [hasLostReply] the server refused the message that it answers: `retry` sends it without
 * @property {UnsentFile[]} [files]
 * @property {string} [failedFile] the name of the file because of which it failed
 * @property {string} [epoch] the server's name for its data when the user wrote it: in another epoch it waits for the user,
 *   because its chat may be another one
 * @property {boolean} [hasLostUploads] the server has removed its uploads once: they are made again once
 *
 * @typedef {import('@/types').Message} Message
 * @typedef {import('@/types').Failure} Failure
 *
 * @typedef {object} Services
 * @property {number} userId
 * @property {import('./timeline').Services['websocket'] & { isConnected: () => boolean }} websocket
 * @property {Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>} storage
 * @property {(message: Message) => void} [onSent] gets the message of the ack
 * @property {FileServices} [files]
 *
 * @typedef {object} FileServices
 * @property {(files: () => UnsentFile[] | null, options: { name: string, onUploaded: (key: string, uploadId: string) => void }) =>
 *   Promise<unknown>} upload uploads files until none without `uploadId` is left, or there are none any more (null). Rejects
 *   with a failure, which has the `file` if it is because of one; its code is `disconnected` if the connection is lost
 * @property {(keys: string[]) => void} cancel ends the uploads of files
 * @property {(keys: string[]) => void} drop forgets files
 */

import { shallowReactive } from 'vue'
import { isVisible, prefixOf } from '@/services/texts'
import { newClientId } from './clientId'
import { isOfBefore, isUploaded, keysOf, storedEntries } from './outboxEntries'

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 10_000

/** @type {FileServices} */
const NO_FILES = { upload: async () => {}, cancel: () => {}, drop: () => {} }

/** @param {Services} services */
export function createOutbox({ userId, websocket, storage, onSent = () => {}, files = NO_FILES }) {
  const prefix = prefixOf('outbox', userId)
  /** @type {Entry[]} in the order of writing; an entry that changes is replaced */
  const entries = shallowReactive(storedEntries(storage, prefix))
  /** The ids of the chats that have a message under way, or waiting for a retry. @type {Set<number>} */
  const busy = new Set()
  /** The `clientId`s of the entries whose files are being uploaded. @type {Set<string>} */
  const uploading = new Set()
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  const timers = new Set()
  let disposed = false

  /** @param {Entry} written */
  function enqueue(written) {
    const { epoch } = websocket.state
    const entry = { ...written, ...(epoch && { epoch }) }
    entries.push(entry)
    store(entry)
    sendAll(entry.chatId)
    upload(entry)
  }

  /** @param {string} clientId */
  const find = (clientId) => entries.find((one) => one.clientId === clientId)

  /** The present time, but later than that of every other entry. */
  function now() {
    return Math.max(Date.now(), ...entries.map(({ writtenAt }) => writtenAt + 1))
  }

  /** @param {Entry} entry */
  function store(entry) {
    try {
      storage.setItem(prefix + entry.clientId, JSON.stringify(entry))
    } catch {
      // The storage is full or blocked: the entry lasts as long as the page.
    }
  }

  /** Removes an entry; its files stay. @param {string} clientId */
  function remove(clientId) {
    const index = entries.findIndex((entry) => entry.clientId === clientId)
    const [entry] = index >= 0 ? entries.splice(index, 1) : []
    storage.removeItem(prefix + clientId)
    if (entry?.files) files.cancel(keysOf(entry))
    return entry
  }

  /** Removes an entry and forgets its files. @param {string} clientId */
  function discard(clientId) {
    const entry = remove(clientId)
    if (entry?.files) files.drop(keysOf(entry))
  }

  /** @param {Entry} entry */
  function update(entry) {
    if (disposed) return // the stored entries may have been removed with the session
    const index = entries.findIndex(({ clientId }) => clientId === entry.clientId)
    if (index < 0) return
    entries[index] = entry
    store(entry)
  }

  /** @param {Entry} entry @param {Failure} error */
  function refused(entry, { code, fields }) {
    if (fields?.attachments && !entry.hasLostUploads) return uploadAgain(entry)
    const hasLostReply = entry.replyTo !== null && fields?.reply_to !== undefined
    update({ ...entry, state: 'failed', code, ...(hasLostReply && { hasLostReply }) })
  }

  /** Sends a failed entry again, after those that wait. @param {string} clientId */
  function retry(clientId) {
    const entry = find(clientId)
    if (entry?.state !== 'failed') return
    remove(clientId)
    const { hasLostReply, ...kept } = entry
    const replyTo = hasLostReply ? null : entry.replyTo
    const fresh = { code: undefined, failedFile: undefined, hasLostUploads: undefined, writtenAt: now() }
    enqueue({ ...kept, ...fresh, replyTo, state: 'sending' })
  }

  /** The server removes uploads that no message has after some time. @param {Entry} entry */
  function uploadAgain(entry) {
    const missing = (entry.files ?? []).map((file) => ({ ...file, uploadId: undefined }))
    update({ ...entry, files: missing, hasLostUploads: true })
    upload(entry)
  }

  /** Uploads the files of an entry, and sends it then. @param {Entry} entry */
  async function upload({ clientId, chatId }) {
    const present = () => (disposed ? undefined : find(clientId))
    const entry = present()
    if (!entry || entry.state !== 'sending' || isUploaded(entry)) return
    if (uploading.has(clientId) || !websocket.isConnected()) return
    uploading.add(clientId)
    try {
      await files.upload(() => present()?.files ?? null, {
        name: prefix + clientId,
        onUploaded(key, uploadId) {
          const now = present()
          if (!now) return
          update({
            ...now,
            files: now.files?.map((file) => (file.key === key ? { ...file, uploadId } : file)),
          })
        },
      })
    } catch (error) {
      const { code, file } = /** @type {Failure & { file?: UnsentFile }} */ (error)
      const now = present()
      if (now && code !== 'disconnected') update({ ...now, state: 'failed', code, failedFile: file?.name })
    } finally {
      uploading.delete(clientId)
    }
    if (present()) sendAll(chatId)
  }

  /**
   * Sends the messages of a chat until there are none left or the connection is lost.
   *
   * @param {number} chatId
   */
  async function sendAll(chatId) {
    if (busy.has(chatId)) return
    busy.add(chatId)
    for (let failures = 0; !disposed && websocket.isConnected();) {
      const entry = entries.find((one) => one.chatId === chatId && one.state === 'sending' && isUploaded(one))
      if (!entry) break
      const error = await attempt(entry)
      if (!error) failures = 0
      else if (error.code === 'disconnected') continue
      else if (!error.retryable) refused(entry, error)
      else if (error.retryAfterMs !== undefined) await wait(entry, error.retryAfterMs)
      else await pause(Math.min(FIRST_RETRY_MS * 2 ** failures++, LAST_RETRY_MS))
    }
    busy.delete(chatId)
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<Failure | undefined>} why it was not sent
   */
  async function attempt({ clientId, chatId, content, replyTo, files: sent }) {
    try {
      const ack = await websocket.request({
        ...{ type: 'send_message', chat_id: chatId, content, client_id: clientId },
        ...(replyTo && { reply_to: replyTo }),
        ...(sent?.length && { attachments: sent.map(({ uploadId }) => uploadId) }),
      })
      onSent(ack.message)
      discard(clientId)
    } catch (error) {
      return /** @type {Failure} */ (error)
    }
  }

  /** @param {Entry} entry @param {number} ms */
  function wait(entry, ms) {
    update({ ...entry, retryAt: Date.now() + ms })
    return pause(ms)
  }

  /** @param {number} ms */
  function pause(ms) {
    return new Promise((resolve) => timers.add(setTimeout(resolve, ms)))
  }

  function resume() {
    for (const entry of entries.filter((one) => one.state === 'sending' && isOfBefore(one, websocket.state)))
      update({ ...entry, state: 'failed', code: 'restored', hasLostReply: entry.replyTo !== null })
    for (const chatId of new Set(entries.map((entry) => entry.chatId))) sendAll(chatId)
    for (const entry of [...entries]) upload(entry)
  }

  /** The own event may come before the ack, or without it if the ack is lost. @param {import('@/types').EventFrame<'new_message'>} frame */
  function echoed({ message }) {
    if (message.sender_id === userId && message.client_id) discard(message.client_id)
  }

  /** Another tab has sent or discarded an entry. @param {StorageEvent} event */
  function elsewhere({ key, newValue }) {
    if (key?.startsWith(prefix) && newValue === null) remove(key.slice(prefix.length))
  }

  const subscriptions = [
    websocket.on('connected', resume),
    websocket.on('new_message', /** @type {any} */ (echoed)),
  ]
  window.addEventListener('storage', elsewhere)
  resume()

  return {
    entries,

    /**
     * @param {number} chatId
     * @param {string} content
     * @param {{ replyTo?: number | null, files?: UnsentFile[] }} options `files`: those that the browser keeps
     */
    send(chatId, content, { replyTo = null, files: added = [] } = {}) {
      const entry = { clientId: newClientId(), chatId, content, replyTo, writtenAt: now() }
      enqueue({ ...entry, state: 'sending', ...(added.length && { files: added }) })
    },

    retry,
    discard,

    /** Removes an entry whose text and files go back to the user. */
    takeBack: remove,

    /** Leaves a file out of an entry. Without text and files the entry goes. @param {string} clientId @param {string} key */
    leaveOut(clientId, key) {
      const entry = find(clientId)
      if (!entry) return
      const rest = entry.files?.filter((file) => file.key !== key) ?? []
      if (!rest.length && !isVisible(entry.content)) return discard(clientId)
      update({ ...entry, files: rest })
      files.cancel([key])
      files.drop([key])
      // It failed because of a file: without this one it may go.
      if (entry.failedFile) retry(clientId)
      else sendAll(entry.chatId)
    },

    /** Ends the outbox and its uploads. Unsent messages stay stored. */
    dispose() {
      disposed = true
      const keys = entries.flatMap(keysOf)
      if (keys.length) files.cancel(keys)
      for (const timer of timers) clearTimeout(timer)
      for (const unsubscribe of subscriptions) unsubscribe()
      window.removeEventListener('storage', elsewhere)
    },
  }
}
