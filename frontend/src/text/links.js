/** Finds web addresses in texts. */
import { oneLine } from './bidi'
import { shownHost } from './hosts'

/**
 * An address ends before a blank, a quotation mark, a backslash, which browsers take for a slash, or an invisible character,
 * which could make it look like another address. Joiners and variation selectors of emoji and Persian words are allowed.
 */
const ADDRESS =
  /(?<![a-z0-9])https?:\/\/(?:(?![\p{Cc}\p{Default_Ignorable_Code_Point}])[^\s<>"'`«»“”\\]|\u200c|\u200d|\ufe0f)+/giu
const PIECES = /^(https?:\/\/)([^/?#]*?)((?::\d*)?(?:[/?#].*)?)$/is
const SENTENCE_END = '.,:;!?…'
const PAIRS = ['()', '[]', '{}']
/** Markers of formatting: they belong to the sentence if it has one before the address. */
const MARKERS = '*_~'
const LABELLED = /\[([^[\]\n]{1,200})\]\((https?:\/\/(?:[^\s()<>]|\([^\s()<>]*\))+)\)/giu

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
  const markers = [...MARKERS].map((sign) => ({ sign, at: text.indexOf(sign) })).filter(({ at }) => at >= 0)
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const before = markers.filter(({ at }) => at < index).map(({ sign }) => sign)
    const address = withoutTail(found, SENTENCE_END + before.join(''))
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

/**
 * Finds links that have a text of their own: `[text](https://…)`. A text that is an address itself makes none.
 *
 * @param {string} text
 */
export function labelledLinksIn(text) {
  if (!text.includes('](')) return []
  return [...text.matchAll(LABELLED)].flatMap(({ 0: found, 1: label, 2: address, index }) => {
    const [part, more] = partsOf(address)
    if (more || part.href !== address || !part.pieces || label.includes('://') || !label.trim()) return []
    const { href, pieces } = part
    return [{ start: index, end: index + found.length, label: oneLine(label), href, pieces }]
  })
}

/**
 * Removes what belongs to the sentence around it: final dots, and brackets that were opened before the address.
 *
 * @param {string} found
 * @param {string} ends signs that belong to the sentence
 */
function withoutTail(found, ends) {
  const count = (/** @type {string} */ sign) => found.split(sign).length - 1
  const surplus = new Map(PAIRS.map(([open, close]) => [close, count(close) - count(open)]))
  let end = found.length
  for (; end > 0; end--) {
    const sign = found[end - 1]
    const left = surplus.get(sign) ?? 0
    if (left > 0) surplus.set(sign, left - 1)
    else if (!ends.includes(sign)) break
  }
  return found.slice(0, end)
}
