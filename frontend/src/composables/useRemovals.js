import { useI18n } from 'vue-i18n'
import { useRoute } from 'vue-router'
import { useChats } from '@/stores/chats'
import { useNotices } from './useNotices'
import { onEvent } from './onEvent'

/** Explains why chats are gone. */
export function useRemovalWords() {
  const { t, te } = useI18n()
  const chats = useChats()

  /** The explanation; empty if the server has not given a reason. @param {number} chatId */
  return function wordsOf(chatId) {
    const { reason, name } = chats.removals.get(chatId) ?? {}
    const key = `chats.wentAs.${reason}`
    return name && te(key, 'en') ? t(key, { name }) : ''
  }
}

/** Shows a notice when a chat that is not open is gone. `ChatLoader.vue` says it in place of an open one. */
export function useRemovals() {
  const chats = useChats()
  const route = useRoute()
  const { notify } = useNotices()
  const wordsOf = useRemovalWords()

  onEvent('chat_removed', ({ chat_id }) => {
    const isOpen = Number(route.params.chatId) === chat_id
    const isOwn = chats.removals.get(chat_id)?.reason === 'left'
    const words = wordsOf(chat_id)
    if (words && !isOpen && !isOwn) notify(words)
  })
}
