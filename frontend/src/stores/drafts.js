import { defineStore } from 'pinia'
import { load, save } from '@/services/storage'
import { prefixOf } from '@/services/texts'
import { useSession } from './session'

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {number | null} replyTo
 * @property {{ message: { id: number, content: string }, text: string } | null} [edit] an edit in progress: the message
 *   as it was when that began, and what is to become of it
 */

/** What was begun and not sent, per user and chat; kept in the browser. */
export const useDrafts = defineStore('drafts', () => {
  const session = useSession()
  /** @param {number} chatId */
  const keyOf = (chatId) => `${prefixOf('draft', session.userId ?? 0)}${chatId}`

  /** @param {number} chatId @returns {Draft} */
  const get = (chatId) => ({ text: '', replyTo: null, edit: null, ...load(keyOf(chatId)) })

  /** @param {number} chatId @param {Draft} draft an empty one is not kept */
  function set(chatId, draft) {
    if (session.userId === null) return // logged out, with all drafts
    save(keyOf(chatId), draft.text || draft.replyTo || draft.edit ? draft : null)
  }

  return { get, set }
})
