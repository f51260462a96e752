/** What is in a line of a message: code, links, mentions, bold, italic and struck-out text. */
import { markersIn, nested } from './emphasis'
import { labelledLinksIn, partsOf } from './links'
import { mentionsIn } from './mentions'

/**
 * A part of a formatted text.
 *
 * @typedef {object} Node
 * @property {'text' | 'bold' | 'italic' | 'strike' | 'code' | 'codeBlock' | 'link' | 'mention' | 'quote' | 'list' | 'item'} kind
 * @property {string} [text] of a text, of code, of a link that is an address, and of a possible mention, which begins with `@`
 * @property {string} [language] of a code block
 * @property {string} [href] of a link
 * @property {[string, string, string]} [pieces] of a link: what its address shows before its host, the host, and after it
 * @property {string} [label] of a link whose text is not its address
 * @property {boolean} [isOrdered] of a list
 * @property {number} [number] of an item of an ordered list, as it was typed
 * @property {Node[]} [children]
 */

/** @typedef {import('./emphasis').Marker} Marker */

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
  const tokens = []
  let from = start
  for (const code of codes) {
    tokens.push(...tokensOf(text, from, code.start), nodeOf(code))
    from = code.end
  }
  tokens.push(...tokensOf(text, from, end))
  return nested(tokens)
}

/**
 * The tokens of a part without code: nodes, and markers that may become nodes.
 *
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
function tokensOf(text, from, to) {
  if (from === to) return []
  const part = text.slice(from, to)
  if (!SPECIAL.test(part)) return [/** @type {Node} */ ({ kind: 'text', text: part })]
  /** @type {(Node | Marker)[]} */
  const tokens = []
  let at = from
  for (const { start, end, ...link } of labelledLinksIn(part)) {
    readAddresses(text, at, from + start, tokens)
    tokens.push({ kind: 'link', ...link })
    at = from + end
  }
  readAddresses(text, at, to, tokens)
  return tokens
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
    tokens.push(...markersIn(text, at, start), { kind: 'mention', text: text.slice(start, end) })
    at = end
  }
  tokens.push(...markersIn(text, at, to))
}
