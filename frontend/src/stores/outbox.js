import { defineStore } from 'pinia'
import { shallowRef, watch } from 'vue'
import { dropFiles } from '@/services/fileStore'
import { storage } from '@/services/storage'
import websocket from '@/services/websocket'
import { createOutbox } from '@/timeline/outbox'
import { useSession } from './session'
import { useTimelines } from './timelines'

/**
 * @typedef {import('@/timeline/outbox').Entry} Entry
 * @typedef {import('@/timeline/outbox').UnsentFile} UnsentFile
 */

/** The code that uploads files is loaded with the first one. */
const loadUploads = () => import('@/files/uploads')

/** @param {number} userId @returns {import('@/timeline/outbox').FileServices} */
function fileServices(userId) {
  return {
    async upload(files, options) {
      const { uploadAll } = await loadUploads().catch(() => Promise.reject({ code: 'not_loaded' }))
      return uploadAll(userId, files, options)
    },
    cancel: (keys) => void loadUploads().then(({ cancelUploads }) => cancelUploads(keys)),
    drop: (keys) => void dropFiles(userId, keys),
  }
}

/** The unsent messages of the user who is logged in. They are sent as soon as there is a connection. */
export const useOutbox = defineStore('outbox', () => {
  const session = useSession()
  const timelines = useTimelines()
  const outbox = shallowRef(/** @type {ReturnType<typeof createOutbox> | null} */ (null))

  watch(
    () => session.userId,
    (userId) => {
      outbox.value?.dispose()
      outbox.value = userId
        ? createOutbox({ userId, websocket, storage, onSent, files: fileServices(userId) })
        : null
    },
    { immediate: true, flush: 'sync' },
  )

  /** @param {import('@/types').Message} message */
  function onSent(message) {
    timelines.get(message.chat_id)?.put(message)
  }

  /** The unsent messages of a chat, in the order of writing. @param {number} chatId @returns {Entry[]} */
  function entriesOf(chatId) {
    return outbox.value?.entries.filter((entry) => entry.chatId === chatId) ?? []
  }

  /** @type {(chatId: number, content: string, options?: { replyTo?: number | null, files?: UnsentFile[] }) => void} */
  const send = (chatId, content, options) => outbox.value?.send(chatId, content, options)
  /** @param {string} clientId */
  const retry = (clientId) => outbox.value?.retry(clientId)
  /** @param {string} clientId */
  const discard = (clientId) => outbox.value?.discard(clientId)

  /** @param {string} clientId */
  const takeBack = (clientId) => outbox.value?.takeBack(clientId)
  /** @param {string} clientId @param {string} key */
  const leaveOut = (clientId, key) => outbox.value?.leaveOut(clientId, key)

  return { entriesOf, send, retry, discard, takeBack, leaveOut }
})
