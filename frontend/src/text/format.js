/**
 * The formatting of a message: a subset of Markdown, read from the text as it was typed, into nodes that a component
 * renders. Nothing of it is HTML. All of it takes time that grows with the length of the text, whatever the text.
 *
 * The blocks of a text are quotes (`> `), lists (`- `, `* `, `1. `) and code blocks; what is in a line is in spans.js.
 */
import { codesIn } from './codes'
import { itemAt, listsOf } from './lists'
import { append } from './nodes'
import { spansOf } from './spans'

/**
 * @typedef {import('./nodes').Node} Node
 * @typedef {import('./codes').Code} Code
 * @typedef {{ start: number, end: number, codes: Code[] }} Line a line of the text; line breaks within code do not end it
 */

/** A text without any of these is not formatted. */
const SPECIAL = /[`*_~@[>]|:\/\/|^[ \t]*(?:-|\d+\.)[ \t]/m
const LANGUAGE = /^[ \t]*([\w+#.-]{1,24})[ \t]*$/
const QUOTE = / {0,3}>(?: |(?=\n|$))/y
/** A preview is made of so many characters. */
const PREVIEW_MAX = 300
/** Quotes within this many others are text. */
const QUOTES_MAX = 3
/** This many backticks make a code with a line break a block. */
const BLOCK_TICKS = 3
const BLOCKS = ['quote', 'list', 'codeBlock']

/**
 * The nodes of a text.
 *
 * @param {string} text
 * @returns {Node[]}
 */
export function formatted(text) {
  if (!SPECIAL.test(text)) return [{ kind: 'text', text }]
  return blocksOf(text, linesOf(text), 0)
}

/** The text without markers. @param {string} text */
export function plainText(text) {
  return textOf(formatted(text))
}

/** The beginning of a text without markers, for lists, quotes and announcements. @param {string} text */
export function previewOf(text) {
  return plainText(text.slice(0, PREVIEW_MAX))
}

/** @param {Node[]} nodes @returns {string} */
function textOf(nodes) {
  let text = ''
  for (const node of nodes) {
    const isBlock = BLOCKS.includes(node.kind) || node.kind === 'item'
    if (isBlock && text && !text.endsWith('\n')) text += '\n'
    text += node.children ? textOf(node.children) : (node.label ?? node.text)
    if (isBlock) text += '\n'
  }
  return BLOCKS.includes(nodes.at(-1)?.kind ?? '') || nodes.at(-1)?.kind === 'item' ? text.slice(0, -1) : text
}

/** @param {string} text @returns {Line[]} */
function linesOf(text) {
  const codes = codesIn(text)
  const lines = []
  let code = 0
  for (let start = 0; start <= text.length;) {
    const first = code
    let end = lineEnd(text, start)
    for (; code < codes.length && codes[code].start < end; code++)
      if (codes[code].end > end) end = lineEnd(text, codes[code].end)
    lines.push({ start, end, codes: codes.slice(first, code) })
    start = end + 1
  }
  return lines
}

/** @param {string} text @param {number} from */
function lineEnd(text, from) {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

/** @param {string} text @param {Line[]} lines @param {number} depth how many quotes are around @returns {Node[]} */
function blocksOf(text, lines, depth) {
  /** @type {Node[]} */
  const nodes = []
  /** @param {Line[]} plain */
  const spans = (plain) => plainOf(text, plain, depth)
  let index = 0
  /** The lines from here on that match. @param {(line: Line) => unknown} matches */
  function take(matches) {
    const first = index
    while (index < lines.length && matches(lines[index])) index++
    return lines.slice(first, index)
  }
  const isQuote = (/** @type {Line} */ line) => depth < QUOTES_MAX && quoteEnd(text, line)
  const isItem = (/** @type {Line} */ line) => itemAt(text, line)
  while (index < lines.length) {
    if (isQuote(lines[index])) {
      const quoted = take(isQuote).map((line) => ({ ...line, start: quoteEnd(text, line) }))
      nodes.push({ kind: 'quote', children: blocksOf(text, quoted, depth + 1) })
    } else if (isItem(lines[index])) {
      const items = take((line) => !isQuote(line) && (isItem(line) || isContinued(text, line)))
      for (const list of listsOf(text, items, spans)) nodes.push(list)
    } else {
      const plain = take((line) => !isQuote(line) && !isItem(line))
      if (nodes.length) append(nodes, { kind: 'text', text: '\n' })
      for (const node of spans(plain)) append(nodes, node)
      if (index < lines.length) append(nodes, { kind: 'text', text: '\n' })
    }
  }
  return trimmed(nodes)
}

/** Where the text of a quoted line begins; 0 if the line is not quoted. @param {string} text @param {Line} line */
function quoteEnd(text, { start, end }) {
  QUOTE.lastIndex = start
  return QUOTE.test(text) && QUOTE.lastIndex <= end ? QUOTE.lastIndex : 0
}

/** Whether a line belongs to the item before it. @param {string} text @param {Line} line */
function isContinued(text, { start, end }) {
  return /^(?:\t| {2})[ \t]*\S/.test(text.slice(start, Math.min(end, start + 200)))
}

/** The nodes of lines that are neither quotes nor items. @param {string} text @param {Line[]} lines @param {number} depth */
function plainOf(text, lines, depth) {
  /** @type {Node[]} */
  const nodes = []
  lines.forEach((line, index) => {
    if (index) append(nodes, { kind: 'text', text: '\n' })
    for (const node of spansOf(text, line, (code) => codeNode(text, code, depth))) append(nodes, node)
  })
  return trimmed(nodes)
}

/** Removes the empty lines beside blocks, which begin and end lines themselves. @param {Node[]} nodes */
function trimmed(nodes) {
  const isBlock = (/** @type {Node | undefined} */ node) => node && BLOCKS.includes(node.kind)
  return nodes.flatMap((node, index) => {
    if (node.kind !== 'text' || !node.text) return [node]
    let { text } = node
    if (isBlock(nodes[index - 1])) text = text.replace(/^(?:[^\S\n]*\n)+/, '')
    if (isBlock(nodes[index + 1])) text = text.trimEnd()
    if (isBlock(nodes[index - 1]) && !text.trim()) return []
    return text ? [{ ...node, text }] : []
  })
}

/** @param {string} text @param {Code} code @param {number} depth how many quotes are around @returns {Node} */
function codeNode(text, { start, from, to }, depth) {
  let inner = text.slice(from, to)
  if (from - start < BLOCK_TICKS || !inner.includes('\n')) {
    // As in CommonMark: one blank on both sides makes room for backticks.
    const isPadded = inner.startsWith(' ') && inner.endsWith(' ') && inner.trim()
    return { kind: 'code', text: isPadded ? inner.slice(1, -1) : inner }
  }
  for (let quote = 0; quote < depth; quote++) inner = inner.replace(/\n {0,3}> ?/g, '\n')
  const indent = /(?:^|\n|> )( {1,16})$/.exec(text.slice(Math.max(0, start - 18), start))?.[1].length ?? 0
  if (indent) inner = inner.replace(new RegExp(`\\n {1,${indent}}`, 'g'), '\n')
  const lineBreak = inner.indexOf('\n')
  const body = withoutLastLine(inner.slice(lineBreak + 1))
  const language = LANGUAGE.exec(inner.slice(0, lineBreak))?.[1]
  if (body && language) return { kind: 'codeBlock', language, text: body }
  return {
    kind: 'codeBlock',
    text: inner.slice(0, lineBreak).trim() ? withoutLastLine(inner) : body,
  }
}

/** Removes the last line if it is blank. @param {string} text */
function withoutLastLine(text) {
  const end = text.lastIndexOf('\n')
  return text.slice(end + 1).trim() ? text : text.slice(0, Math.max(end, 0))
}
