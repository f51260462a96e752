/** Addresses within texts. */

/** Up to a blank or a sign that ends a quotation. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`«»“”]+/gi
const SENTENCE_END = '.,:;!?…'
const PAIRS = ['()', '[]', '{}']

/**
 * A text as it is, in parts: what has an `href` is the address of a page.
 *
 * @param {string} text
 * @returns {{ text: string, href?: string }[]}
 */
export function partsOf(text) {
  /** @type {{ text: string, href?: string }[]} */
  const parts = []
  let end = 0
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutTail(found)
    if (!URL.canParse(address)) continue
    if (index > end) parts.push({ text: text.slice(end, index) })
    parts.push({ text: address, href: address })
    end = index + address.length
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
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
