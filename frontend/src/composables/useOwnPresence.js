import { computed, watch } from 'vue'
import { ApiError } from '@/services/http'
import { usePreferences } from '@/stores/preferences'
import { useSession } from '@/stores/session'
import { useAction } from './useAction'
import { useWebSocket } from './useWebSocket'

/** What a user can choose to be seen as. */
export const PRESENCES = /** @type {const} */ (['auto', 'away', 'busy', 'offline'])

/** What the user has chosen to be seen as, on all their devices, and what others see. */
export function useOwnPresence() {
  const session = useSession()
  const { isConnected } = useWebSocket()
  const { run } = useAction()

  const presence = computed({
    get: () => session.me?.presence ?? 'auto',
    set: (chosen) => void run(() => session.updateMe({ presence: chosen })),
  })
  /** @type {import('vue').ComputedRef<import('@/types').Status>} */
  const status = computed(() => {
    if (!isConnected.value) return 'offline'
    return presence.value === 'auto' ? 'online' : presence.value
  })
  return { presence, status }
}

/** Hands the choice that an earlier version of the client kept in this browser to the server, once. */
export function usePresenceOfBefore() {
  const preferences = usePreferences()
  const session = useSession()
  const { isConnected } = useWebSocket()

  watch(
    isConnected,
    async () => {
      const chosen = preferences.status
      if (!isConnected.value || chosen === 'online') return
      try {
        if (session.me?.presence === 'auto') await session.updateMe({ presence: chosen })
        preferences.status = 'online'
      } catch (error) {
        if (!(error instanceof ApiError)) throw error // tried again with the next connection
      }
    },
    { immediate: true },
  )
}
