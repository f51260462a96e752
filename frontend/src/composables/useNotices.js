import { useEventListener } from '@vueuse/core'
import { ref } from 'vue'

const SHOWN_MS = 6_000

/** @type {import('vue').Ref<{ id: number, text: string }[]>} */
const notices = ref([])
let last = 0

/** Short notices, which disappear by themselves. */
export function useNotices() {
  /** @param {string} text */
  function notify(text) {
    const id = show(text)
    if (id) hideLater(id)
  }

  /** Shows a notice at least until the user looks at the page. @param {string} text */
  function notifySeen(text) {
    const id = show(text)
    if (!id) return
    if (isLookedAt()) return hideLater(id)
    const seen = () => {
      stop()
      hideLater(id)
    }
    const stop = useEventListener(window, ['focus', 'pointerdown', 'keydown'], seen, { capture: true })
  }

  return { notices, notify, notifySeen }
}

/** Returns the notice's id; null if the same text is shown already. @param {string} text */
function show(text) {
  if (notices.value.some((notice) => notice.text === text)) return null
  const id = ++last
  notices.value.push({ id, text })
  return id
}

/** @param {number} id */
function hideLater(id) {
  setTimeout(() => (notices.value = notices.value.filter((notice) => notice.id !== id)), SHOWN_MS)
}

function isLookedAt() {
  return document.visibilityState === 'visible' && document.hasFocus()
}
