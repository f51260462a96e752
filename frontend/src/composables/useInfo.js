import { shallowRef } from 'vue'
import { useRoute } from 'vue-router'
import { useDialogs } from './useDialogs'
import { useThreePanes } from './useLayout'

/**
 * The panel about the open chat: the page that it begins with, a number that is new each time it is opened, and whether it
 * takes the focus. Null: it is closed.
 *
 * @type {import('vue').ShallowRef<{ page: string, key: number, takesFocus: boolean } | null>}
 */
const panel = shallowRef(null)
let lastKey = 0

/** What there is to know about a chat: a panel beside the open chat if there is space for it, else a dialog. */
export function useInfo() {
  const route = useRoute()
  const dialogs = useDialogs()
  const hasSpace = useThreePanes()

  /** @param {number} chatId @param {string} page the page of it that is shown first */
  function open(chatId, page = 'main') {
    if (!hasSpace.value || Number(route.params.chatId) !== chatId)
      return void dialogs.open('chatInfo', { chatId, page })
    panel.value = { page, key: ++lastKey, takesFocus: true }
  }

  const close = () => (panel.value = null)

  /** Opens it, or closes the panel. @param {number} chatId */
  function toggle(chatId) {
    if (panel.value && hasSpace.value) close()
    else open(chatId)
  }

  /** Begins anew, for another chat. The focus stays where it is. */
  function restart() {
    if (panel.value) panel.value = { page: 'main', key: ++lastKey, takesFocus: false }
  }

  return { panel, hasSpace, open, close, toggle, restart }
}
