/** What is in a line of a message: code, links, mentions, bold, italic and struck-out text. */
import { nested, readMarkers } from './emphasis'
import { labelledLinksIn, partsOf } from './links'
import { mentionsIn } from './mentions'

/**
 * @typedef {import('./nodes').Node} Node
 * @typedef {import('./emphasis').Marker} Marker
 */

/** A text without any of these has nothing to format. */
const SPECIAL = /[*_~@[]|:\/\//

/**
 * The nodes of a part of a text.
 *
 * @param {string} text
 * @param {{ start: number, end: number, codes: import('./codes').Code[] }} line
 * @param {(code: import('./codes').Code) => Node} nodeOf
 * @returns {Node[]}
 */
export function spansOf(text, { start, end, codes }, nodeOf) {
  /** @type {(Node | Marker)[]} */
  const tokens = []
  let from = start
  for (const code of codes) {
    read(text, from, code.start, tokens)
    tokens.push(nodeOf(code))
    from = code.end
  }
  read(text, from, end, tokens)
  return nested(tokens)
}

/**
 * Adds the tokens of a part without code: nodes, and markers that may become nodes.
 *
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {(Node | Marker)[]} tokens
 */
function read(text, from, to, tokens) {
  if (from === to) return
  const part = text.slice(from, to)
  if (!SPECIAL.test(part)) return void tokens.push({ kind: 'text', text: part })
  let at = from
  for (const { start, end, ...link } of labelledLinksIn(part)) {
    readAddresses(text, at, from + start, tokens)
    tokens.push({ kind: 'link', ...link })
    at = from + end
  }
  readAddresses(text, at, to, tokens)
}

/** @param {string} text @param {number} from @param {number} to @param {(Node | Marker)[]} tokens */
function readAddresses(text, from, to, tokens) {
  let at = from
  for (const part of partsOf(text.slice(from, to))) {
    const end = at + (part.href ?? part.text).length
    if (part.href) tokens.push({ kind: 'link', ...part })
    else readMentions(text, at, end, tokens)
    at = end
  }
}

/** @param {string} text @param {number} from @param {number} to @param {(Node | Marker)[]} tokens */
function readMentions(text, from, to, tokens) {
  let at = from
  for (const { start, end } of mentionsIn(text, from, to)) {
    readMarkers(text, at, start, tokens)
    tokens.push({ kind: 'mention', text: text.slice(start, end) })
    at = end
  }
  readMarkers(text, at, to, tokens)
}
