import { shallowRef } from 'vue'

/**
 * @typedef {'newChat' | 'chatInfo' | 'goToDate' | 'hiddenChats' | 'profile' | 'preferences' | 'keyboardHelp' | 'publicChats' |
 *   'newAccount' | 'password' | 'pins' | 'messageHistory' | 'reactions' | 'readers' | 'gallery'} DialogName
 */

/** @type {import('vue').ShallowRef<{ name: DialogName, props: object } | null>} */
const dialog = shallowRef(null)

/**
 * The dialog that is open, by name, with its props. There is one at a time; `AppDialogs.vue` shows it.
 *
 *     const { open } = useDialogs()
 *     open('chatInfo', { chatId: 1 })
 */
export function useDialogs() {
  /** @param {DialogName} name @param {object} props */
  const open = (name, props = {}) => (dialog.value = { name, props })
  const close = () => (dialog.value = null)
  return { dialog, open, close }
}
