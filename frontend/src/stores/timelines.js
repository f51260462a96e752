import { defineStore } from 'pinia'
import { watch } from 'vue'
import { onEvent } from '@/composables/onEvent'
import api from '@/services/api'
import websocket from '@/services/websocket'
import { createTimeline } from '@/timeline/timeline'
import { useSession } from './session'

/** How many chats stay in memory, to show at once when the user comes back to them. */
const KEPT_CHATS = 12

/** @typedef {ReturnType<typeof createTimeline>} Timeline */

/** The timelines of the chats that the user has opened. */
export const useTimelines = defineStore('timelines', () => {
  const session = useSession()
  /** The one that was opened last is last. @type {Map<number, Timeline>} */
  const timelines = new Map()

  watch(
    () => session.life,
    () => [...timelines.keys()].forEach(forget),
    { flush: 'sync' },
  )
  onEvent('chat_removed', ({ chat_id }) => forget(chat_id))

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
    if (timelines.size > KEPT_CHATS) forget(/** @type {number} */ (timelines.keys().next().value))
    return timeline
  }

  /** The timeline of a chat that was opened before, else undefined. @param {number} chatId */
  function get(chatId) {
    return timelines.get(chatId)
  }

  return { open, get }
})
