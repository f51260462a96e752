import { onMounted, onScopeDispose } from 'vue'

const NAME = '--foot-height'

/**
 * How high the foot of a room is, as a CSS variable: notices stay above what is being written.
 *
 * @param {import('vue').Ref<HTMLElement | null>} foot
 */
export function useFootHeight(foot) {
  const root = document.documentElement.style
  const observer = new ResizeObserver(([entry]) => root.setProperty(NAME, `${entry.contentRect.height}px`))
  onMounted(() => foot.value && observer.observe(foot.value))
  onScopeDispose(() => {
    observer.disconnect()
    root.removeProperty(NAME)
  })
}
