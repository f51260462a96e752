/**
 * The square part of a picture that becomes an avatar.
 *
 * @typedef {import('./zoom').View} View
 * @typedef {import('./zoom').Size} Size
 */

/** How large a picture is that just covers a square frame. @param {Size} picture @param {number} side of the frame @returns {Size} */
export function covering({ width, height }, side) {
  const scale = side / Math.min(width, height)
  return { width: width * scale, height: height * scale }
}

/**
 * The square of the picture that a frame shows, in the pixels of the picture.
 *
 * @param {View} view
 * @param {Size} picture
 * @param {number} side of the frame
 */
export function cropOf({ scale, x, y }, picture, side) {
  const perPixel = (covering(picture, side).width / picture.width) * scale
  const length = side / perPixel
  return {
    left: picture.width / 2 - x / perPixel - length / 2,
    top: picture.height / 2 - y / perPixel - length / 2,
    length,
  }
}

/** The side of an avatar in px: the server makes it smaller, but not larger. */
const SIDE = 512

/**
 * @param {HTMLImageElement} image
 * @param {ReturnType<typeof cropOf>} crop
 * @returns {Promise<Blob>} a WebP, or a PNG where the browser writes none
 */
export async function cropped(image, { left, top, length }) {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.round(Math.min(SIDE, Math.max(length, 64)))
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  context.imageSmoothingQuality = 'high'
  context.drawImage(image, left, top, length, length, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no blob'))), 'image/webp', 0.92)
  })
}
