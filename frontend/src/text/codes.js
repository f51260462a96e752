/**
 * Finds code in a text: a run of n backticks begins it, the next run of n backticks ends it. A run without such an end is
 * text. The server finds mentions by the same rule.
 */

/**
 * @typedef {object} Code
 * @property {number} start where its first backtick is
 * @property {number} end after its last backtick
 * @property {number} from where the code between the backticks begins
 * @property {number} to where the code between the backticks ends
 */

/**
 * The codes of a text, in order, in time that grows with its length.
 *
 * @param {string} text
 * @returns {Code[]}
 */
export function codesIn(text) {
  const runs = runsOf(text)
  const codes = []
  for (let index = 0; index < runs.length; index++) {
    const { start, end, next } = runs[index]
    if (next === undefined) continue
    codes.push({ start, end: runs[next].end, from: end, to: runs[next].start })
    index = next
  }
  return codes
}

/**
 * The runs of backticks in a text. `next`: the index of the next run of the same length.
 *
 * @param {string} text
 */
function runsOf(text) {
  /** @type {{ start: number, end: number, next: number | undefined }[]} */
  const runs = []
  if (!text.includes('`')) return runs
  for (const { 0: run, index } of text.matchAll(/`+/g))
    runs.push({ start: index, end: index + run.length, next: undefined })
  /** @type {Map<number, number>} */
  const later = new Map()
  for (let index = runs.length - 1; index >= 0; index--) {
    const length = runs[index].end - runs[index].start
    runs[index].next = later.get(length)
    later.set(length, index)
  }
  return runs
}

/**
 * Whether a position is in code, or in code that the user has begun and not ended yet: after a run of three or more
 * backticks, or after a shorter one on the same line.
 *
 * @param {string} text
 * @param {number} position
 */
export function isInCode(text, position) {
  const runs = runsOf(text.slice(0, position))
  const lineStart = text.lastIndexOf('\n', position - 1) + 1
  for (let index = 0; index < runs.length; index++) {
    const { start, end, next } = runs[index]
    if (next !== undefined) index = next
    else if (end - start >= 3 || start >= lineStart) return true
  }
  return false
}
