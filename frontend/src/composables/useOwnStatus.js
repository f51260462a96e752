import { watch } from 'vue'
import { usePreferences } from '@/stores/preferences'
import { onEvent } from './onEvent'
import { useWebSocket } from './useWebSocket'

/** Sends the status that the user has chosen, on each connection. */
export function useOwnStatus() {
  const preferences = usePreferences()
  const { send } = useWebSocket()
  const sendStatus = () => send({ type: 'status', status: preferences.status })

  watch(() => preferences.status, sendStatus)
  onEvent('connected', () => {
    if (preferences.status !== 'online') sendStatus() // a new connection is online by itself
  })
}
