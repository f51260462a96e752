import { tryOnScopeDispose } from '@vueuse/core'
import websocket from '@/services/websocket'

/**
 * Subscribes to an event. The subscription ends with the component or store that makes it.
 *
 * @template {import('@/types').EventName} Name
 * @param {Name} name
 * @param {(frame: import('@/types').EventFrame<Name>) => void} callback
 * @returns {() => void} ends the subscription
 */
export function onEvent(name, callback) {
  const unsubscribe = websocket.on(name, /** @type {(frame: any) => void} */ (callback))
  tryOnScopeDispose(unsubscribe)
  return unsubscribe
}
