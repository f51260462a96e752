import { watch } from 'vue'
import { usePreferences } from '@/stores/preferences'
import { useWebSocket } from './useWebSocket'

/** Tells others the status one has chosen, from each connection of one's own. */
export function useOwnStatus() {
  const preferences = usePreferences()
  const { on, send } = useWebSocket()
  const tell = () => send({ type: 'status', status: preferences.status })

  watch(() => preferences.status, tell)
  on('connected', () => {
    if (preferences.status !== 'online') tell() // which a new connection is by itself
  })
}
