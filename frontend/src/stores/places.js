import { defineStore } from 'pinia'
import { watch } from 'vue'
import { useSession } from './session'

/** After this time a chat opens at its unread line or its end again. */
const KEPT_MS = 3_600_000

/**
 * A place in the history of a chat: the first visible message and how far its top is below that of the log.
 *
 * @typedef {{ id: number, seq: number, top: number }} Place
 */

/** Where the user was in the chats that they left without being at the end, in this tab. */
export const usePlaces = defineStore('places', () => {
  const session = useSession()
  /** @type {Map<number, Place & { keptAt: number }>} */
  const places = new Map()

  watch(
    () => session.life,
    () => places.clear(),
    { flush: 'sync' },
  )

  /** @param {number} chatId @param {Place | null} place null: the end of the chat */
  function keep(chatId, place) {
    if (place) places.set(chatId, { ...place, keptAt: Date.now() })
    else places.delete(chatId)
  }

  /** The place in a chat, null for none. @param {number} chatId @returns {Place | null} */
  function get(chatId) {
    const place = places.get(chatId)
    return place && Date.now() - place.keptAt < KEPT_MS ? place : null
  }

  return { keep, get }
})
