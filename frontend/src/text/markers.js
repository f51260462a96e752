/** Puts markers of formatting around a selected text, and takes them away again. */

/**
 * A change of a text: what replaces a part of it, and what is selected afterwards.
 *
 * @typedef {object} Edit
 * @property {number} start
 * @property {number} end
 * @property {string} insert
 * @property {[number, number]} selected
 */

export const BOLD = '**'
export const ITALIC = '_'
export const STRIKE = '~~'
export const CODE = '`'
const FENCE = '```'

/**
 * The change that puts a marker around a selected text, or takes it away if it is there. Each line gets its own.
 *
 * @param {string} text
 * @param {number} from where the selection begins
 * @param {number} to where it ends
 * @param {string} marker
 * @returns {Edit}
 */
export function toggled(text, from, to, marker) {
  const [start, end] = withoutBlanks(text, from, to)
  if (start === end) return atCaret(text, to, marker)
  const inner = text.slice(start, end)
  if (marker === CODE && inner.includes('\n')) return toggledBlock(text, start, end)
  if (isAround(text, start, end, marker)) return replaced(start - marker.length, end + marker.length, inner)
  const bare = inner.split('\n').map((line) => unmarked(line, marker))
  if (bare.every((line) => line !== null)) return replaced(start, end, bare.join('\n'))
  if (marker === CODE) return replaced(start, end, asCode(inner))
  return replaced(
    start,
    end,
    inner
      .split('\n')
      .map((line) => marked(line, marker))
      .join('\n'),
  )
}

/** @param {number} start @param {number} end @param {string} insert @returns {Edit} */
function replaced(start, end, insert) {
  return { start, end, insert, selected: [start, start + insert.length] }
}

/** @param {string} text @param {number} start @param {number} end */
function withoutBlanks(text, start, end) {
  while (start < end && /\s/.test(text[start])) start++
  while (end > start && /\s/.test(text[end - 1])) end--
  return [start, end]
}

/** Without a selection: begins or ends what is marked. @param {string} text @param {number} at @param {string} marker @returns {Edit} */
function atCaret(text, at, marker) {
  const { length } = marker
  const caret = (/** @type {number} */ to) => /** @type {[number, number]} */ ([to, to])
  if (isAround(text, at, at, marker))
    return { start: at - length, end: at + length, insert: '', selected: caret(at - length) }
  const isBeforeEnd =
    text.startsWith(marker, at) && text.lastIndexOf(marker, at - 1) > text.lastIndexOf('\n', at - 1)
  return { start: at, end: at, insert: isBeforeEnd ? '' : marker + marker, selected: caret(at + length) }
}

/** Whether a marker is on both sides of a part, and no longer run of its signs. @param {string} text @param {number} start @param {number} end @param {string} marker */
function isAround(text, start, end, marker) {
  const { length } = marker
  const isBefore = text.startsWith(marker, start - length) && text[start - length - 1] !== marker[0]
  return start >= length && isBefore && text.startsWith(marker, end) && text[end + length] !== marker[0]
}

/** A line within its marker; null if the marker is not around it. A blank line has none. @param {string} line @param {string} marker */
function unmarked(line, marker) {
  const bare = line.trim()
  if (!bare) return line
  const { length } = marker
  const isMarked = bare.length > 2 * length && bare.startsWith(marker) && bare.endsWith(marker)
  return isMarked ? line.replace(bare, () => bare.slice(length, -length)) : null
}

/** A line with a marker around its text, unless it has one already. A blank line has none. @param {string} line @param {string} marker */
function marked(line, marker) {
  const bare = line.trim()
  const isDone = !bare || unmarked(line, marker) !== null
  return isDone ? line : line.replace(bare, () => marker + bare + marker)
}

/** A text as code in a line, with more backticks than it has in a row. @param {string} text */
function asCode(text) {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const ticks = CODE.repeat(longest + 1)
  return longest ? `${ticks} ${text} ${ticks}` : ticks + text + ticks
}

/** Makes lines a code block, or ends being one. @param {string} text @param {number} start @param {number} end @returns {Edit} */
function toggledBlock(text, start, end) {
  const from = start - FENCE.length - 1
  const to = end + FENCE.length + 1
  const inner = text.slice(start, end)
  if (from >= 0 && text.slice(from, start) === `${FENCE}\n` && text.slice(end, to) === `\n${FENCE}`)
    return replaced(from, to, inner)
  // The indentation of the first line belongs to the code.
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const begin = text.slice(lineStart, start).trim() ? start : lineStart
  const before = begin === 0 || text[begin - 1] === '\n' ? '' : '\n'
  const after = end === text.length || text[end] === '\n' ? '' : '\n'
  const code = text.slice(begin, end)
  const head = `${before}${FENCE}\n`
  return {
    start: begin,
    end,
    insert: `${head}${code}\n${FENCE}${after}`,
    selected: [begin + head.length, begin + head.length + code.length],
  }
}
