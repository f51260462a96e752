import { onScopeDispose, toValue, watch } from 'vue'
import { opened } from '@/services/overlays'

/**
 * Back closes what the component has laid over the page.
 *
 * @param {import('vue').MaybeRefOrGetter<boolean>} isOpen
 * @param {() => void} close
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
