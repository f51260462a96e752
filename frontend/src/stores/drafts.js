import { useEventListener } from '@vueuse/core'
import { defineStore } from 'pinia'
import { reactive, watch } from 'vue'
import { load, save, storage } from '@/services/storage'
import { isVisible, joined, prefixOf } from '@/services/texts'
import { useSession } from './session'

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {number | null} replyTo
 * @property {{ message: { id: number, content: string }, text: string } | null} [edit] an edit in progress: the message
 *   as it was when the edit began, and its new text
 * @property {import('@/timeline/outbox').UnsentFile[]} [files] those that the message will have
 * @property {string} [epoch] that of the server when it was stored
 */

/** Texts that are not sent yet, by user and chat, in the browser's storage. */
export const useDrafts = defineStore('drafts', () => {
  const session = useSession()
  const prefix = () => prefixOf('draft', session.userId ?? 0)
  /** @param {number} chatId */
  const keyOf = (chatId) => `${prefix()}${chatId}`
  /** The texts of the drafts, without those of edits. @type {Map<number, string>} */
  const texts = reactive(new Map())

  /** @param {number} chatId @returns {Draft} */
  function get(chatId) {
    const draft = { text: '', replyTo: null, edit: null, files: [], ...load(keyOf(chatId)) }
    const isOfBefore = draft.epoch && session.epoch && draft.epoch !== session.epoch
    if (!isOfBefore) return draft
    // After a restored backup the ids may be those of other messages. What was typed stays.
    return { ...draft, text: joined(draft.edit?.text ?? '', draft.text), replyTo: null, edit: null }
  }

  watch(
    () => session.life,
    () => {
      texts.clear()
      for (let index = 0; index < storage.length; index++) read(storage.key(index))
    },
    { immediate: true, flush: 'sync' },
  )
  // Another tab has changed a draft, or removed them all.
  useEventListener(window, 'storage', ({ key }) => (key === null ? texts.clear() : read(key)))

  /** Reads the draft of a storage key, if it is one of the user. @param {string | null} key */
  function read(key) {
    const chatId = key?.startsWith(prefix()) ? Number(key.slice(prefix().length)) : 0
    if (chatId) note(chatId, get(chatId))
  }

  /** @param {number} chatId @param {Draft} draft */
  function note(chatId, { text, files = [] }) {
    const shown = isVisible(text) ? text : files.map(({ name }) => name).join(', ')
    if (shown) texts.set(chatId, shown)
    else texts.delete(chatId)
  }

  /** Stores a draft. An empty one is removed. @param {number} chatId @param {Draft} draft */
  function set(chatId, draft) {
    if (session.userId === null) return // the logout has removed all drafts
    const isEmpty = !draft.text && !draft.replyTo && !draft.edit && !draft.files?.length
    const { epoch } = session
    save(keyOf(chatId), isEmpty ? null : { ...draft, ...(epoch && { epoch }) })
    note(chatId, draft)
  }

  /** Adds files to a draft. @param {number} chatId @param {import('@/timeline/outbox').UnsentFile[]} files */
  function addFiles(chatId, files) {
    const draft = get(chatId)
    set(chatId, { ...draft, files: [...(draft.files ?? []), ...files] })
  }

  /** The text of a chat's draft, or the names of its files; empty if it has nothing visible. @param {number} chatId */
  const textOf = (chatId) => texts.get(chatId) ?? ''

  return { get, set, addFiles, textOf }
})
