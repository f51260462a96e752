import { onScopeDispose, watch } from 'vue'
import { useWebSocket } from './useWebSocket'

const AT_LEAST_MS = 30_000
const AT_MOST_MS = 60_000

/** Coming back would only repeat the refusal; 4401: what is to be done is to log in. */
const FINAL_CODES = [1008, 1009, 4401, 4403]

/**
 * Goes on, slowly, where the service has given up, whether the tab is looked at or not: one attempt each 30 to 60 s, and
 * one as soon as there is a network.
 *
 * @param {() => number} random
 */
export function usePatience(random = Math.random) {
  const { state, retry } = useWebSocket()
  let timer = /** @type {any} */ (undefined)

  const isWanted = () => state.value.status === 'failed' && !FINAL_CODES.includes(state.value.code ?? 0)
  const online = () => isWanted() && retry()

  watch(
    state,
    () => {
      clearTimeout(timer)
      const waitMs = AT_LEAST_MS + random() * (AT_MOST_MS - AT_LEAST_MS)
      if (isWanted()) timer = setTimeout(() => retry({ once: true }), waitMs)
    },
    { immediate: true, flush: 'sync' },
  )
  window.addEventListener('online', online)
  onScopeDispose(() => {
    clearTimeout(timer)
    window.removeEventListener('online', online)
  })
}
