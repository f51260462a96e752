/**
 * Where a picture is in its frame: how much larger than the frame, and how far from its middle, in px.
 *
 * @typedef {{ scale: number, x: number, y: number }} View
 * @typedef {{ width: number, height: number }} Size
 */

export const MAX_SCALE = 8

/** @type {View} */
export const WHOLE = { scale: 1, x: 0, y: 0 }

/**
 * The view with the picture kept in its frame: it leaves no empty space at a side where it is larger than the frame.
 *
 * @param {View} view
 * @param {Size} frame
 * @param {Size} picture as it is shown whole
 * @returns {View}
 */
export function kept({ scale, x, y }, frame, picture) {
  const size = Math.min(Math.max(scale, 1), MAX_SCALE)
  const beyond = (/** @type {number} */ length, /** @type {number} */ room) =>
    Math.max(0, (length * size - room) / 2)
  return {
    scale: size,
    x: within(x, beyond(picture.width, frame.width)),
    y: within(y, beyond(picture.height, frame.height)),
  }
}

/** @param {number} value @param {number} bound */
const within = (value, bound) => Math.min(Math.max(value, -bound), bound) + 0 // no -0

/**
 * The view after a zoom, in which what was at a point stays there.
 *
 * @param {View} view
 * @param {number} scale
 * @param {{ x: number, y: number }} point from the middle of the frame
 * @returns {View}
 */
export function zoomed(view, scale, point) {
  const size = Math.min(Math.max(scale, 1), MAX_SCALE)
  const by = size / view.scale
  return { scale: size, x: point.x - (point.x - view.x) * by, y: point.y - (point.y - view.y) * by }
}

/** How large a picture is in a frame that shows all of it; it is not made larger than it is. @param {Size} picture @param {Size} frame @returns {Size} */
export function fitted({ width, height }, frame) {
  const scale = Math.min(1, frame.width / width, frame.height / height)
  return { width: width * scale, height: height * scale }
}

/** The CSS of a view. @param {View} view */
export const transformOf = ({ scale, x, y }) => `translate(${x}px, ${y}px) scale(${scale})`

/**
 * The CSS of a picture that is as large as the window allows, but not larger than it is: known before it is loaded.
 *
 * @param {Size} picture
 */
export const boxOf = ({ width, height }) => ({
  width: `min(${width}px, 100cqw, ${(width / height) * 100}cqh)`,
  aspectRatio: `${width} / ${height}`,
})
