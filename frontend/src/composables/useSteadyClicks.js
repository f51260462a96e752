import { useEventListener } from '@vueuse/core'

const CONTROLS =
  'a, button, input, label, select, textarea, [role=option], [role=menuitem], [role=menuitemradio]'

/**
 * Ignores the second click of a double click on another control than the first: one that the first click has opened or
 * moved under the pointer.
 */
export function useSteadyClicks() {
  /** The control that was pressed last, and the one before. @type {(Element | null)[]} */
  let pressed = [null, null]

  /** @param {Event} event */
  const controlOf = (event) => /** @type {Element} */ (event.target).closest?.(CONTROLS) ?? null

  /** @param {PointerEvent} event */
  function press(event) {
    pressed = [controlOf(event), pressed[0]]
  }

  /** @param {MouseEvent} event */
  function click(event) {
    const [control, before] = pressed
    if (event.detail < 2 || !control || control === before || control !== controlOf(event)) return
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  const options = { capture: true }
  useEventListener(window, 'pointerdown', press, options)
  useEventListener(window, 'click', click, options)
}
