import { useI18n } from 'vue-i18n'
import { useRoute } from 'vue-router'
import { useChats } from '@/stores/chats'
import { useNotices } from './useNotices'
import { useWebSocket } from './useWebSocket'

/** Why chats are gone, in words. */
export function useRemovalWords() {
  const { t, te } = useI18n()
  const chats = useChats()

  /** Nothing where the server has not said why. @param {number} chatId */
  return function wordsOf(chatId) {
    const { reason, name } = chats.removals.get(chatId) ?? {}
    const key = `chats.wentAs.${reason}`
    return name && te(key, 'en') ? t(key, { name }) : ''
  }
}

/** Says that a chat is gone which is not looked at; who looks at it is told in its place. */
export function useRemovals() {
  const chats = useChats()
  const route = useRoute()
  const { notify } = useNotices()
  const { on } = useWebSocket()
  const wordsOf = useRemovalWords()

  on('chat_removed', ({ chat_id }) => {
    const isOpen = Number(route.params.chatId) === chat_id
    const isOwn = chats.removals.get(chat_id)?.reason === 'left'
    const words = wordsOf(chat_id)
    if (words && !isOpen && !isOwn) notify(words)
  })
}
