import { ref } from 'vue'

const SHOWN_MS = 6_000

/** @type {import('vue').Ref<{ id: number, text: string }[]>} */
const notices = ref([])
let last = 0

/** Short words about something that happened, or did not; they go away by themselves. */
export function useNotices() {
  /** @param {string} text */
  function notify(text) {
    if (notices.value.some((notice) => notice.text === text)) return
    const id = ++last
    notices.value.push({ id, text })
    setTimeout(() => (notices.value = notices.value.filter((notice) => notice.id !== id)), SHOWN_MS)
  }

  return { notices, notify }
}
