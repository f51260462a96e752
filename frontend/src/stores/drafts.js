import { defineStore } from 'pinia'
import { load, save } from '@/services/storage'
import { useSession } from './session'

/** @typedef {{ text: string, replyTo: number | null }} Draft */

/** What was begun and not sent, per user and chat; kept in the browser. */
export const useDrafts = defineStore('drafts', () => {
  const session = useSession()
  /** @param {number} chatId */
  const keyOf = (chatId) => `vestnik:draft:${session.userId}:${chatId}`

  /** @param {number} chatId @returns {Draft} */
  const get = (chatId) => load(keyOf(chatId)) ?? { text: '', replyTo: null }

  /** @param {number} chatId @param {Draft} draft an empty one is not kept */
  function set(chatId, draft) {
    save(keyOf(chatId), draft.text || draft.replyTo ? draft : null)
  }

  return { get, set }
})
