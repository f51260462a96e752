import { useElementSize, useEventListener } from '@vueuse/core'
import { computed, ref, watch } from 'vue'
import { fitted, kept, WHOLE, zoomed } from './zoom'

const DOUBLE_SCALE = 2.5
const DOUBLE_MS = 300
const NEAR_PX = 30
/** A finger that moves as far changes the picture, or closes the gallery. */
const SWIPE_PX = 60
const STEP = 1.4

/**
 * Zooms and moves a picture: pinch, double tap, wheel, drag, keys; swipes of a picture that is shown whole lead on.
 *
 * @param {import('vue').Ref<HTMLElement | null>} frame
 * @param {object} options
 * @param {() => import('./zoom').Size | null} options.pictureOf its own size
 * @param {(step: 1 | -1) => void} options.onTurn
 * @param {() => void} options.onClose
 */
export function useGestures(frame, { pictureOf, onTurn, onClose }) {
  const { width, height } = useElementSize(frame)
  const view = ref(WHOLE)
  /** Whether fingers or the mouse hold it: then it follows at once. */
  const isHeld = ref(false)
  const isZoomed = computed(() => view.value.scale > 1)
  /** @type {Map<number, { x: number, y: number }>} */
  const pointers = new Map()
  let start = { x: 0, y: 0, spread: 0, view: WHOLE, isPinch: false }
  let tap = { at: 0, x: 0, y: 0 }

  const frameSize = () => ({ width: width.value, height: height.value })
  const pictureSize = () => fitted(pictureOf() ?? frameSize(), frameSize())
  /** @param {import('./zoom').View} wanted */
  const show = (wanted) => (view.value = kept(wanted, frameSize(), pictureSize()))
  const reset = () => (view.value = WHOLE)
  watch([width, height], () => show(view.value))

  /** @param {{ clientX: number, clientY: number }} event */
  function pointOf({ clientX, clientY }) {
    const box = /** @type {HTMLElement} */ (frame.value).getBoundingClientRect()
    return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 }
  }

  /** The middle of the pointers, and how far two of them are apart. */
  function held() {
    const [one, other = one] = [...pointers.values()]
    const spread = Math.hypot(one.x - other.x, one.y - other.y)
    return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, spread }
  }

  function begin() {
    start = { ...held(), view: view.value, isPinch: start.isPinch || pointers.size > 1 }
  }

  /** @param {PointerEvent} event */
  function down(event) {
    if (event.pointerType === 'mouse' && event.button !== 0) return
    if (!pointers.size) start.isPinch = false
    pointers.set(event.pointerId, pointOf(event))
    frame.value?.setPointerCapture(event.pointerId)
    isHeld.value = true
    begin()
  }

  /** @param {PointerEvent} event */
  function moved(event) {
    if (!pointers.has(event.pointerId)) return
    pointers.set(event.pointerId, pointOf(event))
    const now = held()
    if (start.spread && now.spread) {
      const pinched = zoomed(start.view, (start.view.scale * now.spread) / start.spread, start)
      show({ ...pinched, x: pinched.x + now.x - start.x, y: pinched.y + now.y - start.y })
    } else if (isZoomed.value) {
      show({ ...view.value, x: start.view.x + now.x - start.x, y: start.view.y + now.y - start.y })
    } else if (!start.isPinch) {
      view.value = { scale: 1, x: now.x - start.x, y: Math.max(0, now.y - start.y) }
    }
  }

  /** @param {PointerEvent} event */
  function up(event) {
    if (!pointers.has(event.pointerId)) return
    const end = pointOf(event)
    pointers.delete(event.pointerId)
    if (pointers.size) return begin()
    isHeld.value = false
    const [x, y] = [end.x - start.x, end.y - start.y]
    const isSwipe = event.type === 'pointerup' && !isZoomed.value && !start.isPinch
    if (!isZoomed.value) reset()
    if (isSwipe && Math.abs(x) > SWIPE_PX && Math.abs(x) > Math.abs(y)) onTurn(x < 0 ? 1 : -1)
    else if (isSwipe && y > 2 * SWIPE_PX && event.pointerType !== 'mouse') onClose()
    else if (event.type === 'pointerup' && Math.hypot(x, y) < 8 && !start.isPinch) tapped(end)
  }

  /** @param {{ x: number, y: number }} point */
  function tapped(point) {
    const isDouble =
      performance.now() - tap.at < DOUBLE_MS && Math.hypot(point.x - tap.x, point.y - tap.y) < NEAR_PX
    tap = isDouble ? { at: 0, x: 0, y: 0 } : { ...point, at: performance.now() }
    if (isDouble) isZoomed.value ? reset() : show(zoomed(view.value, DOUBLE_SCALE, point))
  }

  /** @param {WheelEvent} event */
  function wheeled(event) {
    event.preventDefault()
    // A pinch on a trackpad is a wheel with Ctrl, in smaller steps.
    const by = Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 500))
    show(zoomed(view.value, view.value.scale * by, pointOf(event)))
  }

  useEventListener(frame, 'pointerdown', down)
  useEventListener(frame, 'pointermove', moved)
  useEventListener(frame, ['pointerup', 'pointercancel'], /** @type {any} */ (up))
  useEventListener(frame, 'wheel', wheeled, { passive: false })

  return {
    view,
    isHeld,
    isZoomed,
    reset,
    zoomIn: () => show(zoomed(view.value, view.value.scale * STEP, { x: 0, y: 0 })),
    zoomOut: () => show(zoomed(view.value, view.value.scale / STEP, { x: 0, y: 0 })),
    /** @param {number} x @param {number} y */
    move: (x, y) => show({ ...view.value, x: view.value.x + x, y: view.value.y + y }),
  }
}
