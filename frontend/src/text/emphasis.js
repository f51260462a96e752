/**
 * Bold, italic and struck-out text. A marker begins one only after a blank, a bracket, a quotation mark or the like, and
 * ends one only where no word goes on, so that `2*3*4`, `snake_case`, `__init__` and `¯\_(ツ)_/¯` stay as they are.
 */

import { append } from './nodes'

/**
 * @typedef {import('./nodes').Node} Node
 * @typedef {{ marker: string, opens: boolean, closes: boolean, isFirstOfThree?: boolean }} Marker
 */

const RUNS = /[*_~]+/g
const RUN = /\*+|_+|~+/g
/** @type {Record<string, Node['kind']>} */
const KINDS = { '*': 'italic', _: 'italic', '**': 'bold', '~~': 'strike' }

/** Letters of scripts that put no space between words, or none before what ends a word. */
const UNSPACED = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Thai', 'Lao', 'Khmer', 'Myanmar']
  .map((script) => `\\p{Script=${script}}`)
  .join('')
const MAY_OPEN_AFTER = new RegExp(
  `(?:^|[\\s(\\[{"']|[${UNSPACED}]|(?![\\x20-\\x7e])[\\p{P}\\p{Extended_Pictographic}\\ufe0f])$`,
  'u',
)
const MAY_CLOSE_BEFORE = new RegExp(`^(?:$|[^\\p{L}\\p{N}]|[${UNSPACED}])`, 'u')
const ENDS_BLANK = /(?:^|[\s\\])$/
/** A blank, or what no text begins with: `*.py` is a pattern. */
const BEGINS_NOTHING = /^(?:$|[\s.,:;!?)\]}/])/
/** What is between two markers has at least one of these. */
const VISIBLE = /[\p{L}\p{N}\p{Extended_Pictographic}]/u

/**
 * Splits a part of a text into texts and markers, and adds them to the tokens.
 *
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {(Node | Marker)[]} tokens
 */
export function readMarkers(text, from, to, tokens) {
  const part = text.slice(from, to)
  let rest = 0
  for (const { 0: runs, index } of part.matchAll(RUNS)) {
    // Markers beside one another count as one: `**_` begins two, `_**` ends two.
    const start = from + index
    const before = text.slice(Math.max(0, start - 2), start)
    const after = text.slice(start + runs.length, start + runs.length + 2)
    const opens = MAY_OPEN_AFTER.test(before) && !BEGINS_NOTHING.test(after)
    const closes = MAY_CLOSE_BEFORE.test(after) && !ENDS_BLANK.test(before)
    if (!opens && !closes) continue
    if (index > rest) tokens.push({ kind: 'text', text: part.slice(rest, index) })
    rest = index + runs.length
    for (const { 0: run } of runs.matchAll(RUN)) {
      if (run === '***')
        tokens.push({ marker: '**', opens, closes, isFirstOfThree: true }, { marker: '*', opens, closes })
      else if (run in KINDS) tokens.push({ marker: run, opens, closes })
      else tokens.push({ kind: 'text', text: run })
    }
  }
  if (rest < part.length) tokens.push({ kind: 'text', text: part.slice(rest) })
}

/**
 * The tree of nodes of a line. Markers without another end become text.
 *
 * @param {(Node | Marker)[]} tokens
 * @returns {Node[]}
 */
export function nested(tokens) {
  const ends = endsOf(tokens)
  /** @type {Node[]} */
  const roots = []
  const stack = [{ children: roots, end: -1 }]
  tokens.forEach((token, index) => {
    const { children, end } = stack[stack.length - 1]
    if (index === end) return stack.pop()
    if (!('marker' in token)) return append(children, token)
    const closedAt = ends.get(index)
    if (closedAt === undefined) return append(children, { kind: 'text', text: token.marker })
    /** @type {Node[]} */
    const inner = []
    children.push({ kind: KINDS[token.marker], children: inner })
    stack.push({ children: inner, end: closedAt })
  })
  return roots
}

/**
 * Which marker ends which, as indexes of tokens. Of two markers that could begin, the later one does. Pairs do not overlap.
 *
 * @param {(Node | Marker)[]} tokens
 */
function endsOf(tokens) {
  /** @type {Map<number, number>} */
  const ends = new Map()
  /** @type {Map<string, { index: number, words: number }>} */
  const open = new Map()
  let words = 0
  tokens.forEach((token, index) => {
    if (!('marker' in token)) {
      if (token.kind !== 'text' || VISIBLE.test(token.text ?? '')) words++
      return
    }
    if (token.isFirstOfThree) putInnerFirst(tokens, index, open)
    const { marker, opens, closes } = /** @type {Marker} */ (tokens[index])
    const begin = open.get(marker)
    if (closes && begin && begin.words < words) {
      ends.set(begin.index, index)
      for (const [other, { index: at }] of open) if (at >= begin.index) open.delete(other)
    } else if (opens) open.set(marker, { index, words })
  })
  return ends
}

/**
 * Orders the two markers of a run of three so that the inner one of those that are open is closed first.
 *
 * @param {(Node | Marker)[]} tokens
 * @param {number} index of the first one
 * @param {Map<string, { index: number }>} open
 */
function putInnerFirst(tokens, index, open) {
  const [italic, bold] = [open.get('*')?.index ?? -1, open.get('**')?.index ?? -1]
  if (italic <= bold) return
  const token = /** @type {Marker} */ (tokens[index])
  tokens[index] = { ...token, marker: '*' }
  tokens[index + 1] = { ...token, marker: '**', isFirstOfThree: false }
}
