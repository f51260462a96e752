import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { onEvent } from '@/composables/onEvent'
import { useSession } from './session'

/** @typedef {'link' | 'file'} Has */

/**
 * What the user searches for. It stays as it is while they go to what was found and come back.
 */
export const useSearch = defineStore('search', () => {
  const session = useSession()
  const text = ref('')
  /** The chat whose messages are searched; null: all chats, and people too. */
  const chatId = ref(/** @type {number | null} */ (null))
  /** The sender of the messages; null: anybody. */
  const fromId = ref(/** @type {number | null} */ (null))
  /** What the messages have; null: anything. */
  const has = ref(/** @type {Has | null} */ (null))
  /** How often the field was asked for: it takes the focus then. */
  const calls = ref(0)

  const wanted = computed(() => text.value.trim())
  const isFiltered = computed(() => Boolean(chatId.value || fromId.value || has.value))
  /** Whether what was found is shown in place of the list of chats. */
  const isActive = computed(() => wanted.value !== '' || isFiltered.value)

  /** Takes the user to the field. @param {number} [inChat] the chat to search in */
  function open(inChat) {
    if (inChat) {
      clear()
      chatId.value = inChat
    }
    calls.value++
  }

  function clear() {
    text.value = ''
    chatId.value = fromId.value = has.value = null
  }

  watch(() => session.life, clear, { flush: 'sync' })
  onEvent('chat_removed', ({ chat_id }) => {
    if (chatId.value === chat_id) chatId.value = null
  })

  return { text, wanted, chatId, fromId, has, isFiltered, isActive, calls, open, clear }
})
