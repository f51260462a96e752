import { watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute } from 'vue-router'
import { useChats } from '@/stores/chats'
import { isMuted, muteText } from './useMute'
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
    return name && te(key) ? t(key, { name }) : ''
  }
}

const MUTED = { until: 'chats.muted', forGood: 'chats.mutedForGood' }

/**
 * Shows a notice when a chat that is not open is gone, or when the user's right to write in it is taken or given back.
 * `ChatLoader.vue` and `MessageComposer.vue` say so in an open one.
 */
export function useRemovals() {
  const chats = useChats()
  const route = useRoute()
  const { notify } = useNotices()
  const { t } = useI18n()
  const wordsOf = useRemovalWords()

  /** @param {number} chatId */
  const isOpen = (chatId) => Number(route.params.chatId) === chatId

  watch(
    () => chats.muteChange,
    (change) => {
      if (!change?.name || isOpen(change.chatId)) return
      const { name, before, until } = change
      if (until && isMuted(until)) notify(muteText(t, MUTED, until, { name }))
      else if (isMuted(before)) notify(t('chats.unmuted', { name }))
    },
  )
  onEvent('chat_removed', ({ chat_id }) => {
    const isOwn = chats.removals.get(chat_id)?.reason === 'left'
    const words = wordsOf(chat_id)
    if (words && !isOpen(chat_id) && !isOwn) notify(words)
  })
}
