/** Long messages, of which a part is shown until the user wants all. */

/** @typedef {import('./nodes').Node} Node */

/** A text of more lines is folded. The lines are those of a bubble of usual width. */
const LONG_LINES = 24
/** What is shown of a folded text; less than the above, so that something is worth unfolding. */
const SHOWN = { characters: 720, lines: 12 }
const LINE_CHARACTERS = 60
/** A word that begins this near the end is left out as a whole. */
const WORD_CHARACTERS = 30
const BLOCKS = ['quote', 'item', 'codeBlock']

/** Whether a text is folded. @param {string} text */
export function isLong(text) {
  return linesOf(text, LONG_LINES) > LONG_LINES
}

/**
 * How many lines a text takes, or more than the maximum.
 *
 * @param {string} text
 * @param {number} max
 */
function linesOf(text, max) {
  let lines = 0
  for (let start = 0; start <= text.length && lines <= max;) {
    const found = text.indexOf('\n', start)
    const end = found < 0 ? text.length : found
    lines += Math.max(1, Math.ceil((end - start) / LINE_CHARACTERS))
    start = end + 1
  }
  return lines
}

/**
 * The beginning of a long text.
 *
 * @param {Node[]} nodes
 * @returns {Node[]}
 */
export function beginningOf(nodes) {
  return cut(nodes, { ...SHOWN })
}

/** @param {Node[]} nodes @param {{ characters: number, lines: number }} rest what may still be shown @returns {Node[]} */
function cut(nodes, rest) {
  /** @type {Node[]} */
  const shown = []
  for (const node of nodes) {
    if (rest.characters <= 0 || rest.lines <= 0) break
    if (BLOCKS.includes(node.kind)) rest.lines--
    if (node.children) shown.push({ ...node, children: cut(node.children, rest) })
    else shown.push(cutText(node, rest))
  }
  return shown
}

/** @param {Node} node @param {{ characters: number, lines: number }} rest @returns {Node} */
function cutText(node, rest) {
  const text = node.label ?? node.text ?? ''
  const isText = ['text', 'code', 'codeBlock'].includes(node.kind)
  const end = isText ? endOf(text, rest) : text.length
  rest.characters -= end
  rest.lines -= linesOf(text.slice(0, end), rest.lines) - 1
  if (end === text.length) return node
  rest.characters = 0
  return { ...node, text: `${text.slice(0, end).trimEnd()}…` }
}

/** Where a text is cut: at the last line that fits, between two words if there are some. @param {string} text @param {{ characters: number, lines: number }} rest */
function endOf(text, { characters, lines }) {
  let end = 0
  for (let line = 0; line < lines && end < text.length; line++) {
    const next = text.indexOf('\n', end + 1)
    end = next < 0 ? text.length : next
  }
  if (end <= characters) return end
  const blank = text.lastIndexOf(' ', characters)
  if (characters - blank < WORD_CHARACTERS) return blank
  // Not between the halves of a character, and not before the marks of a letter.
  let at = characters
  while (
    at > characters - WORD_CHARACTERS &&
    /^[\p{M}\p{Cf}\ufe0f\udc00-\udfff]/u.test(text.slice(at, at + 2))
  )
    at--
  return at
}
