import { onKeyStroke } from '@vueuse/core'
import { useRoute, useRouter } from 'vue-router'
import { isCtrl } from '@/services/keys'
import { useChats } from '@/stores/chats'
import { useDialogs } from './useDialogs'

/** The keys that work on every page: the quick switcher, the help, and the next or previous chat. */
export function useKeyboard() {
  const chats = useChats()
  const dialogs = useDialogs()
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

  /** @param {'quickSwitcher' | 'keyboardHelp'} name */
  function toggle(name) {
    if (dialogs.dialog.value?.name === name) dialogs.close()
    else dialogs.open(name)
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

  on(
    (event) => isCtrl(event, 'k', 'KeyK'),
    () => toggle('quickSwitcher'),
  )
  on(
    (event) => isCtrl(event, '/', 'Slash'),
    () => toggle('keyboardHelp'),
  )
  on(
    (event) => event.key === 'ArrowDown' && canGo(event),
    (event) => go(1, event.shiftKey),
  )
  on(
    (event) => event.key === 'ArrowUp' && canGo(event),
    (event) => go(-1, event.shiftKey),
  )
}
