import { onLongPress } from '@vueuse/core'

const LONG_PRESS_MS = 500
/** A finger that moves further than this scrolls. */
const STILL_PX = 10

/** Loads the menu of a chat. */
export const loadMenu = () => import('@/components/ChatMenu.vue')

/**
 * Opens the menu of a chat in a list: by the right mouse button, the menu key, or a long press. The links of chats have
 * `data-chat`, the id.
 *
 * @param {import('vue').Ref<HTMLElement | null>} list
 * @param {import('vue').Ref<{ open: (id: number, element: HTMLElement, box: DOMRect) => void } | null>} menu
 */
export function useChatMenu(list, menu) {
  /** Whether the present touch has opened the menu: what ends it moves no focus and opens no chat. */
  let isLongPress = false

  /** @param {Event} event */
  const itemAt = (event) =>
    /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-chat]'))

  /** @param {HTMLElement} item @param {DOMRect} box */
  const open = (item, box) => menu.value?.open(Number(item.dataset.chat), item, box)

  /** @param {MouseEvent} event of the right button, the menu key, or a long press where the browser has one */
  function contextMenu(event) {
    const item = itemAt(event)
    if (!item || event.shiftKey) return // Shift keeps the browser's own menu
    event.preventDefault()
    if (isLongPress) return
    isLongPress = /** @type {PointerEvent} */ (event).pointerType === 'touch'
    const isByKey = event.button !== 2 && document.activeElement === item
    open(item, isByKey ? item.getBoundingClientRect() : new DOMRect(event.clientX, event.clientY))
  }

  // Not every browser says `contextmenu` for a long press.
  onLongPress(
    list,
    (event) => {
      const item = itemAt(event)
      if (event.pointerType === 'mouse' || !item || isLongPress) return
      isLongPress = true
      open(item, new DOMRect(event.clientX, event.clientY))
    },
    { delay: LONG_PRESS_MS, distanceThreshold: STILL_PX },
  )

  function pointerDown() {
    isLongPress = false
  }

  /** Without its default no mouse events and no click follow. @param {TouchEvent} event */
  function touchEnd(event) {
    if (isLongPress) event.preventDefault()
  }

  return { contextMenu, pointerDown, touchEnd }
}
