import { onScopeDispose, ref } from 'vue'

/** Whether the tab is before somebody's eyes. */
export function useVisibility() {
  const isVisible = ref(!document.hidden)
  const update = () => (isVisible.value = !document.hidden)
  document.addEventListener('visibilitychange', update)
  onScopeDispose(() => document.removeEventListener('visibilitychange', update))
  return isVisible
}
