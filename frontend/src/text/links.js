/** Addresses within texts. */
import { shownHost } from './hosts'

/**
 * Up to a blank, a sign that ends a quotation, a backslash, which browsers take for a slash, or a character that is not
 * seen: such a one could make the address read as another. Joiners and variants within emoji and Persian words may stay.
 */
const ADDRESS =
  /\bhttps?:\/\/(?:(?![\p{Cc}\p{Default_Ignorable_Code_Point}])[^\s<>"'`«»“”\\]|\u200c|\u200d|\ufe0f)+/giu
const PIECES = /^(https?:\/\/)([^/?#]*?)((?::\d*)?(?:[/?#].*)?)$/is
const SENTENCE_END = '.,:;!?…'
const PAIRS = ['()', '[]', '{}']

/**
 * @typedef {object} Part
 * @property {string} text as it is shown
 * @property {string} [href] of an address
 * @property {[string, string, string]} [pieces] of an address: what is before its host, the host, what is after it
 */

/**
 * A text as it is, in parts: what has an `href` is the address of a page. Only a host that can be taken for another is
 * written in other letters than the text has.
 *
 * @param {string} text
 * @returns {Part[]}
 */
export function partsOf(text) {
  /** @type {Part[]} */
  const parts = []
  let end = 0
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutTail(found)
    const pieces = piecesOf(address)
    if (!pieces) continue
    if (index > end) parts.push({ text: text.slice(end, index) })
    parts.push({ text: pieces.join(''), href: address, pieces })
    end = index + address.length
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
}

/**
 * An address around its host; null if it is none, or begins with the name of a user, which reads as a host.
 *
 * @param {string} address
 * @returns {[string, string, string] | null}
 */
function piecesOf(address) {
  if (!URL.canParse(address)) return null
  const url = new URL(address)
  const [, scheme, host, rest] = PIECES.exec(address) ?? []
  if (!host || url.username || url.password || host.includes('@')) return null
  return [scheme, shownHost(host, url.hostname), rest]
}

/** Without the end of the sentence around it: dots, and brackets that were opened before it. @param {string} found */
function withoutTail(found) {
  const count = (/** @type {string} */ sign) => found.split(sign).length - 1
  const surplus = new Map(PAIRS.map(([open, close]) => [close, count(close) - count(open)]))
  let end = found.length
  for (; end > 0; end--) {
    const sign = found[end - 1]
    const left = surplus.get(sign) ?? 0
    if (left > 0) surplus.set(sign, left - 1)
    else if (!SENTENCE_END.includes(sign)) break
  }
  return found.slice(0, end)
}
