import { describe, expect, test } from 'vitest'
import { covering, cropOf } from '@/files/crop'
import { fitted, kept, MAX_SCALE, WHOLE, zoomed } from '@/files/zoom'

const FRAME = { width: 400, height: 300 }

test.each([
  [
    { width: 800, height: 600 },
    { width: 400, height: 300 },
  ],
  [
    { width: 800, height: 300 },
    { width: 400, height: 150 },
  ],
  [
    { width: 100, height: 600 },
    { width: 50, height: 300 },
  ],
  [
    { width: 20, height: 10 },
    { width: 20, height: 10 },
  ],
])('%o is shown as %o', (picture, size) => expect(fitted(picture, FRAME)).toEqual(size))

describe('a view', () => {
  const picture = { width: 400, height: 150 }

  test('that shows all of a picture cannot be moved', () => {
    expect(kept({ scale: 1, x: 50, y: -20 }, FRAME, picture)).toEqual(WHOLE)
  })

  test('leaves no empty space at a side where the picture is larger', () => {
    expect(kept({ scale: 3, x: 1000, y: 1000 }, FRAME, picture)).toEqual({ scale: 3, x: 400, y: 75 })
    expect(kept({ scale: 3, x: -1000, y: 0 }, FRAME, picture)).toEqual({ scale: 3, x: -400, y: 0 })
    // At double size it is just as high as the frame.
    expect(kept({ scale: 2, x: 0, y: 9 }, FRAME, picture)).toEqual({ scale: 2, x: 0, y: 0 })
  })

  test('has bounds', () => {
    expect(kept({ scale: 0.2, x: 0, y: 0 }, FRAME, picture).scale).toBe(1)
    expect(kept({ scale: 99, x: 0, y: 0 }, FRAME, picture).scale).toBe(MAX_SCALE)
  })

  test('keeps the point of a zoom in place', () => {
    const point = { x: 60, y: -40 }
    const view = zoomed({ scale: 1.5, x: 10, y: 5 }, 3, point)
    // Where the point is in the picture, before and after.
    const at = ({ scale, x, y }) => [(point.x - x) / scale, (point.y - y) / scale]
    expect(at(view)).toEqual(at({ scale: 1.5, x: 10, y: 5 }))
  })
})

describe('a crop', () => {
  const picture = { width: 1200, height: 800 }

  test('of the whole view is the middle square', () => {
    expect(covering(picture, 200)).toEqual({ width: 300, height: 200 })
    expect(cropOf(WHOLE, picture, 200)).toEqual({ left: 200, top: 0, length: 800 })
  })

  test('follows the view', () => {
    expect(cropOf({ scale: 1, x: 50, y: 0 }, picture, 200)).toEqual({ left: 0, top: 0, length: 800 })
    expect(cropOf({ scale: 2, x: 0, y: 0 }, picture, 200)).toEqual({ left: 400, top: 200, length: 400 })
  })

  test('is within the picture, wherever the view may be', () => {
    for (const scale of [1, 1.3, 4])
      for (const x of [-999, 0, 999])
        for (const y of [-999, 0, 999]) {
          const view = kept({ scale, x, y }, { width: 200, height: 200 }, covering(picture, 200))
          const { left, top, length } = cropOf(view, picture, 200)
          expect(left).toBeGreaterThanOrEqual(-1e-9)
          expect(top).toBeGreaterThanOrEqual(-1e-9)
          expect(left + length).toBeLessThanOrEqual(picture.width + 1e-9)
          expect(top + length).toBeLessThanOrEqual(picture.height + 1e-9)
        }
  })
})
