import { defineStore } from 'pinia'
import { shallowRef, watch } from 'vue'
import { storage } from '@/services/storage'
import websocket from '@/services/websocket'
import { createOutbox } from '@/timeline/outbox'
import { useSession } from './session'
import { useTimelines } from './timelines'

/** @typedef {import('@/timeline/outbox').Entry} Entry */

/** The unsent messages of the user who is logged in. They are sent as soon as there is a connection. */
export const useOutbox = defineStore('outbox', () => {
  const session = useSession()
  const timelines = useTimelines()
  const outbox = shallowRef(/** @type {ReturnType<typeof createOutbox> | null} */ (null))

  watch(
    () => session.userId,
    (userId) => {
      outbox.value?.dispose()
      outbox.value = userId ? createOutbox({ userId, websocket, storage, onSent }) : null
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

  /** @param {number} chatId @param {string} content @param {{ replyTo?: number | null }} [options] */
  const send = (chatId, content, options) => outbox.value?.send(chatId, content, options)
  /** @param {string} clientId */
  const retry = (clientId) => outbox.value?.retry(clientId)
  /** @param {string} clientId */
  const discard = (clientId) => outbox.value?.discard(clientId)

  return { entriesOf, send, retry, discard }
})
