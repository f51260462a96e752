import { onScopeDispose, watch } from 'vue'
import api, { ApiError } from '@/services/api'
import websocket from '@/services/websocket'
import { createPins } from '@/timeline/pins'

const RETRY_MS = 5_000

/**
 * The pinned messages of an open chat. They are requested after each join, because what happened before it may be missed.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function usePins(chatId, timeline) {
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)
  const pins = createPins(chatId, { api, websocket, find: timeline.get, onUnknown: load })

  async function load() {
    clearTimeout(timer)
    try {
      await pins.load()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Without a connection nothing is retried: the next join loads them. An older server has none.
      if (error.retryable && websocket.isConnected()) timer = setTimeout(load, error.retryAfterMs ?? RETRY_MS)
    }
  }

  watch(
    () => timeline.state.status === 'live',
    (isLive) => isLive && load(),
    { immediate: true },
  )
  onScopeDispose(() => {
    clearTimeout(timer)
    pins.dispose()
  })

  return pins.state
}
