import { defineStore } from 'pinia'
import { watch } from 'vue'
import api from '@/services/api'
import websocket from '@/services/websocket'
import { createTimeline } from '@/timeline/timeline'
import { useSession } from './session'

/** So many chats that were looked at are there at once when one comes back to them. */
const KEPT = 12

/** @typedef {ReturnType<typeof createTimeline>} Timeline */

/** The timelines of the chats that were looked at, for whoever is logged in. */
export const useTimelines = defineStore('timelines', () => {
  const session = useSession()
  /** @type {Map<number, Timeline>} the one that was asked for last is last */
  const timelines = new Map()

  watch(
    () => session.userId,
    () => [...timelines.keys()].forEach(forget),
    { flush: 'sync' },
  )
  websocket.on('chat_removed', ({ chat_id }) => forget(chat_id))

  /** @param {number} chatId */
  function forget(chatId) {
    timelines.get(chatId)?.dispose()
    timelines.delete(chatId)
  }

  /** @param {number} chatId */
  function open(chatId) {
    const timeline = timelines.get(chatId) ?? createTimeline(chatId, { api, websocket })
    timelines.delete(chatId)
    timelines.set(chatId, timeline)
    if (timelines.size > KEPT) forget(/** @type {number} */ (timelines.keys().next().value))
    return timeline
  }

  /** A timeline that was opened before, else undefined. @param {number} chatId */
  function get(chatId) {
    return timelines.get(chatId)
  }

  return { open, get }
})
