import { useEventListener, useTimeoutFn } from '@vueuse/core'
import { watch } from 'vue'
import { useWebSocket } from './useWebSocket'

const MIN_DELAY_MS = 30_000
const MAX_DELAY_MS = 60_000

/** After these close codes the server would refuse again; after 4401 the user has to log in. */
const FINAL_CODES = [1008, 1009, 4401, 4403]

/**
 * Keeps reconnecting after the service has used up its attempts: one attempt every 30 to 60 s, and one as soon as the
 * browser is online. It does so in hidden tabs too.
 *
 * @param {() => number} random
 */
export function useSlowRetry(random = Math.random) {
  const { state, retry } = useWebSocket()
  const isWanted = () => state.value.status === 'failed' && !FINAL_CODES.includes(state.value.code ?? 0)
  const { start, stop } = useTimeoutFn(
    () => retry({ once: true }),
    () => MIN_DELAY_MS + random() * (MAX_DELAY_MS - MIN_DELAY_MS),
    { immediate: false },
  )

  watch(state, () => (isWanted() ? start() : stop()), { immediate: true, flush: 'sync' })
  useEventListener(window, 'online', () => isWanted() && retry())
}
