import { defineStore } from 'pinia'
import { useSession } from './session'

/** @typedef {{ text: string, replyTo: number | null }} Draft */

/** What was begun and not sent, per user and chat; kept in the browser. */
export const useDrafts = defineStore('drafts', () => {
  const session = useSession()
  /** @param {number} chatId */
  const keyOf = (chatId) => `vestnik:draft:${session.userId}:${chatId}`

  /** @param {number} chatId @returns {Draft} */
  function get(chatId) {
    try {
      return JSON.parse(localStorage.getItem(keyOf(chatId)) ?? '') // throws if there is none
    } catch {
      return { text: '', replyTo: null }
    }
  }

  /** @param {number} chatId @param {Draft} draft an empty one is not kept */
  function set(chatId, draft) {
    try {
      if (draft.text || draft.replyTo) localStorage.setItem(keyOf(chatId), JSON.stringify(draft))
      else localStorage.removeItem(keyOf(chatId))
    } catch {
      // The storage is full: the draft lives as long as its chat is open.
    }
  }

  return { get, set }
})
