/** The lists of a message. */

/**
 * @typedef {import('./nodes').Node} Node
 * @typedef {import('./format').Line} Line
 * @typedef {{ indent: number, isOrdered: boolean, number: number, lines: Line[] }} Item
 */

const ITEM = /([ \t]*)(?:[-*]|(\d{1,9})\.)[ \t]+(?=\S)/y
/** An item this much further to the right than the one before it is in a list of its own. */
const INDENT = 2
/** Lists within this many others are on the same level. */
const DEPTH_MAX = 4
const TAB = 4

/**
 * The beginning of an item; null if the line is none.
 *
 * @param {string} text
 * @param {Line} line
 */
export function itemAt(text, { start, end }) {
  ITEM.lastIndex = start
  const found = ITEM.exec(text)
  if (!found || ITEM.lastIndex > end) return null
  const [, blanks, number] = found
  return {
    indent: blanks.replaceAll('\t', ' '.repeat(TAB)).length,
    isOrdered: number !== undefined,
    number: Number(number),
    start: ITEM.lastIndex,
  }
}

/**
 * The lists that consecutive lines make. The first line begins an item; a line that does not begin one belongs to the item
 * before it.
 *
 * @param {string} text
 * @param {Line[]} lines
 * @param {(lines: Line[]) => Node[]} nodesOf
 * @returns {Node[]}
 */
export function listsOf(text, lines, nodesOf) {
  /** @type {Node[]} */
  const roots = []
  /** The lists that are open, the innermost last. @type {{ indent: number, among: Node[], list: Node }[]} */
  const open = []
  for (const item of itemsOf(text, lines)) {
    while (open.length > 1 && item.indent < open[open.length - 1].indent) open.pop()
    const top = open[open.length - 1]
    const isDeeper = top && item.indent >= top.indent + INDENT && open.length < DEPTH_MAX
    if (!top || isDeeper) {
      const among = top ? /** @type {Node[]} */ (top.list.children?.at(-1)?.children) : roots
      open.push({ indent: item.indent, among, list: begun(among, item.isOrdered) })
    } else if (top.list.isOrdered !== item.isOrdered) top.list = begun(top.among, item.isOrdered)
    const { list } = open[open.length - 1]
    const node = { kind: /** @type {const} */ ('item'), children: nodesOf(item.lines) }
    list.children?.push(item.isOrdered ? { ...node, number: item.number } : node)
  }
  return roots
}

/** A new list, the last of some nodes. @param {Node[]} among @param {boolean} isOrdered */
function begun(among, isOrdered) {
  /** @type {Node} */
  const list = { kind: 'list', isOrdered, children: [] }
  among.push(list)
  return list
}

/** @param {string} text @param {Line[]} lines @returns {Item[]} */
function itemsOf(text, lines) {
  /** @type {Item[]} */
  const items = []
  for (const line of lines) {
    const found = itemAt(text, line)
    if (found) items.push({ ...found, lines: [{ ...line, start: found.start }] })
    else items[items.length - 1].lines.push({ ...line, start: line.start + blanksAt(text, line) })
  }
  return items
}

/** How many blanks a line begins with. @param {string} text @param {Line} line */
function blanksAt(text, { start, end }) {
  let at = start
  while (at < end && (text[at] === ' ' || text[at] === '\t')) at++
  return at - start
}
