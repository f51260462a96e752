import { onScopeDispose } from 'vue'

/** What a phone's keyboard leaves of the window, as `--viewport-height`: `dvh` does not know of it everywhere. */
export function useViewport() {
  const viewport = /** @type {VisualViewport} */ (window.visualViewport)

  function fit() {
    if (Math.abs(viewport.scale - 1) > 0.01) return // somebody looks at a part more closely
    document.documentElement.style.setProperty('--viewport-height', `${viewport.height}px`)
    window.scrollTo(0, 0) // the browser may have moved the page to show a field that is in view now
  }

  viewport.addEventListener('resize', fit)
  onScopeDispose(() => viewport.removeEventListener('resize', fit))
}
