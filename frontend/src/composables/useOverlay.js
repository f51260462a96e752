import { onScopeDispose, toValue, watch } from 'vue'
import { opened } from '@/services/overlays'

/**
 * Makes Back close what a component shows over the page.
 *
 * @param {import('vue').MaybeRefOrGetter<boolean>} isOpen
 * @param {(isLeaving: boolean) => void} close see `opened`
 */
export function useOverlay(isOpen, close) {
  let closed = /** @type {(() => void) | null} */ (null)

  function drop() {
    closed?.()
    closed = null
  }

  watch(
    () => toValue(isOpen),
    (now) => (now ? (closed ??= opened(close)) : drop()),
    { immediate: true },
  )
  onScopeDispose(drop)
}
