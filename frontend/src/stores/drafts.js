import { defineStore } from 'pinia'
import { load, save } from '@/services/storage'
import { prefixOf } from '@/services/texts'
import { useSession } from './session'

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {number | null} replyTo
 * @property {{ message: { id: number, content: string }, text: string } | null} [edit] an edit in progress: the message
 *   as it was when the edit began, and its new text
 */

/** Texts that are not sent yet, by user and chat, in the browser's storage. */
export const useDrafts = defineStore('drafts', () => {
  const session = useSession()
  /** @param {number} chatId */
  const keyOf = (chatId) => `${prefixOf('draft', session.userId ?? 0)}${chatId}`

  /** @param {number} chatId @returns {Draft} */
  const get = (chatId) => ({ text: '', replyTo: null, edit: null, ...load(keyOf(chatId)) })

  /** Stores a draft. An empty one is removed. @param {number} chatId @param {Draft} draft */
  function set(chatId, draft) {
    if (session.userId === null) return // the logout has removed all drafts
    save(keyOf(chatId), draft.text || draft.replyTo || draft.edit ? draft : null)
  }

  return { get, set }
})
