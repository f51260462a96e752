import { onKeyStroke } from '@vueuse/core'
import { useRoute, useRouter } from 'vue-router'
import { isCtrl } from '@/services/keys'
import { useChats } from '@/stores/chats'
import { useSearch } from '@/stores/search'
import { useDialogs } from './useDialogs'

const CLOSING_MS = 50

/** The keys that work on every page: search, the help, and the next or previous chat. */
export function useKeyboard() {
  const chats = useChats()
  const dialogs = useDialogs()
  const search = useSearch()
  const route = useRoute()
  const router = useRouter()

  /** @param {(event: KeyboardEvent) => unknown} matches @param {(event: KeyboardEvent) => void} act */
  function on(matches, act) {
    onKeyStroke(
      (event) => Boolean(matches(event)),
      (event) => {
        act(event)
        event.preventDefault()
      },
    )
  }

  function toggleHelp() {
    if (dialogs.dialog.value?.name === 'keyboardHelp') dialogs.close()
    else dialogs.open('keyboardHelp')
  }

  function find() {
    const isOverlaid = Boolean(dialogs.dialog.value)
    dialogs.close()
    // A dialog that closes returns the focus.
    if (isOverlaid) setTimeout(search.open, CLOSING_MS)
    else search.open()
  }

  /** Opens the next or previous chat of the list, which wraps around. @param {1 | -1} step @param {boolean} unreadOnly */
  function go(step, unreadOnly) {
    const list = chats.list
    const current = list.findIndex((chat) => chat.id === Number(route.params.chatId))
    const start = current < 0 && step < 0 ? 0 : current
    for (let distance = 1; distance <= list.length; distance++) {
      const chat = list[(start + step * distance + list.length * 2) % list.length]
      if (unreadOnly && !chat.unread_count && !chat.marked_unread) continue
      router.push({ name: 'chat', params: { chatId: chat.id } })
      return
    }
  }

  /** @param {KeyboardEvent} event */
  const canGo = (event) => event.altKey && !event.ctrlKey && !dialogs.dialog.value

  on((event) => isCtrl(event, 'k', 'KeyK'), find)
  on((event) => isCtrl(event, '/', 'Slash'), toggleHelp)
  on(
    (event) => event.key === 'ArrowDown' && canGo(event),
    (event) => go(1, event.shiftKey),
  )
  on(
    (event) => event.key === 'ArrowUp' && canGo(event),
    (event) => go(-1, event.shiftKey),
  )
}
