import { useEventListener } from '@vueuse/core'

const CONTROLS =
  'a, button, input, label, select, textarea, [role=option], [role=menuitem], [role=menuitemradio]'

/**
 * The second click of a double click counts only where the first one fell: what the first click has opened, closed or
 * moved under the pointer is not pressed unseen.
 */
export function useSteadyClicks() {
  /** What was pressed, and what before that. @type {(Element | null)[]} */
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
