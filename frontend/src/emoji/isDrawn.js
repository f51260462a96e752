const SIZE = 12

/** Whether the browser draws a text in colours of its own, as it does with the emoji that its fonts have. @param {string} text */
export function isDrawn(text) {
  const [black, white] = ['#000', '#fff'].map((colour) => pixelsOf(text, colour))
  return black !== '' && black === white && /[1-9]/.test(black)
}

/** The red, green and blue of the opaque pixels of a text. @param {string} text @param {string} colour */
function pixelsOf(text, colour) {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIZE
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) return ''
  context.textBaseline = 'top'
  context.font = `${SIZE - 2}px ${getComputedStyle(document.body).fontFamily}`
  context.fillStyle = colour
  context.fillText(text, 0, 0)
  const { data } = context.getImageData(0, 0, SIZE, SIZE)
  return data.join()
}
