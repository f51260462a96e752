import { useEventListener } from '@vueuse/core'

/** Sets `--viewport-height` to the height that a phone's keyboard leaves: not every browser's `dvh` counts it. */
export function useViewportHeight() {
  const viewport = /** @type {VisualViewport} */ (window.visualViewport)
  useEventListener(viewport, 'resize', () => {
    if (Math.abs(viewport.scale - 1) > 0.01) return // the user has zoomed in
    document.documentElement.style.setProperty('--viewport-height', `${viewport.height}px`)
    window.scrollTo(0, 0) // the browser may have scrolled the page to a field that is visible now
  })
}
