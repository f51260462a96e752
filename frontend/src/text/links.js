/** Finds web addresses in texts. */
import { shownHost } from './hosts'

/**
 * An address ends before a blank, a quotation mark, a backslash, which browsers take for a slash, or an invisible character,
 * which could make it look like another address. Joiners and variation selectors of emoji and Persian words are allowed.
 */
const ADDRESS =
  /\bhttps?:\/\/(?:(?![\p{Cc}\p{Default_Ignorable_Code_Point}])[^\s<>"'`«»“”\\]|\u200c|\u200d|\ufe0f)+/giu
const PIECES = /^(https?:\/\/)([^/?#]*?)((?::\d*)?(?:[/?#].*)?)$/is
const SENTENCE_END = '.,:;!?…'
const PAIRS = ['()', '[]', '{}']

/**
 * @typedef {object} Part
 * @property {string} text the text to show
 * @property {string} [href] for an address
 * @property {[string, string, string]} [pieces] for an address: the text before its host, the host, the text after it
 */

/**
 * Splits a text into parts. Parts with an `href` are addresses. The parts together are the text, except that a host that can
 * be mistaken for another is in its ASCII form.
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
 * Splits an address at its host; null if it is not valid, or if it has a user name, which looks like a host.
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

/** Removes what belongs to the sentence around it: final dots, and brackets that were opened before the address. @param {string} found */
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
