import { onScopeDispose } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { isCtrl } from '@/services/keys'
import { useChats } from '@/stores/chats'
import { useDialogs } from './useDialogs'

/** The keys that work everywhere: the switcher, the help, and going from chat to chat. */
export function useKeyboard() {
  const chats = useChats()
  const dialogs = useDialogs()
  const route = useRoute()
  const router = useRouter()

  /** @param {'quickSwitcher' | 'keyboardHelp'} name */
  function toggle(name) {
    if (dialogs.dialog.value?.name === name) dialogs.close()
    else dialogs.open(name)
  }

  /** To the next chat of the list, or the one before; round at its ends. @param {1 | -1} step @param {boolean} unreadOnly */
  function go(step, unreadOnly) {
    const list = chats.list
    const here = list.findIndex((chat) => chat.id === Number(route.params.chatId))
    const start = here < 0 && step < 0 ? 0 : here
    for (let walked = 1; walked <= list.length; walked++) {
      const chat = list[(start + step * walked + list.length * 2) % list.length]
      if (unreadOnly && !chat.unread_count) continue
      router.push({ name: 'chat', params: { chatId: chat.id } })
      return
    }
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (isCtrl(event, 'k', 'KeyK')) toggle('quickSwitcher')
    else if (isCtrl(event, '/', 'Slash')) toggle('keyboardHelp')
    else if (step && event.altKey && !event.ctrlKey && !dialogs.dialog.value) go(step, event.shiftKey)
    else return
    event.preventDefault()
  }

  window.addEventListener('keydown', press)
  onScopeDispose(() => window.removeEventListener('keydown', press))
}
