import { computed, ref } from 'vue'
import { useWebSocket } from './useWebSocket'

/** The server's default. Each connection begins with the server's own limit. */
const MAX_CHARS = 10_000

/**
 * The number of characters that a text has left, as the server counts them; Infinity while that are many.
 *
 * @param {import('vue').Ref<string>} text
 * @param {number} counted from this number on they are counted
 */
export function useCharactersLeft(text, counted) {
  const { on } = useWebSocket()
  const maxChars = ref(MAX_CHARS)
  on('connected', ({ limits }) => (maxChars.value = limits?.max_content_chars ?? MAX_CHARS))
  return computed(() => {
    if (text.value.length < maxChars.value - counted) return Infinity
    return maxChars.value - [...text.value].length
  })
}
