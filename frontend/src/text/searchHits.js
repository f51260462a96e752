/** Where a message has what a search has found, and the part of it that shows that. */
import { oneLine } from './bidi'
import { folded, wordsIn } from './searchWords'

/**
 * @typedef {import('./searchWords').Query} Query
 * @typedef {import('./searchWords').Word} Word
 * @typedef {{ start: number, end: number }} Mark a part of a text
 * @typedef {{ text: string, isFound: boolean }} Part
 */

/** How much of a text stands before the first word that is found, and how much is shown at most. */
const BEFORE_CHARS = 24
const SHOWN_CHARS = 160

/** Whether a text has a web address, as the server sees it. @param {string} text */
export const hasLink = (text) => /\bhttps?:\/\/[^\s/?#]/i.test(text)

/** Whether a text has all that a query asks for. @param {string} text @param {Query} query */
export function matches(text, { words, prefix, phrases }) {
  const found = wordsIn(text).map((word) => word.text)
  const all = new Set(found)
  return (
    words.every((word) => all.has(word)) &&
    (!prefix || found.some((word) => word.startsWith(prefix))) &&
    phrases.every((phrase) => found.some((_word, index) => isAt(found, index, phrase)))
  )
}

/** @param {string[]} words @param {number} index @param {string[]} phrase */
function isAt(words, index, phrase) {
  return phrase.every((word, distance) => words[index + distance] === word)
}

/**
 * The parts of a text that a query has found, in their order; they do not overlap. Of a word that only begins with what is
 * wanted it is the beginning; a phrase is one part.
 *
 * @param {string} text
 * @param {Query} query
 * @returns {Mark[]}
 */
export function marksIn(text, { words, prefix, phrases }) {
  const all = wordsIn(text)
  const texts = all.map((word) => word.text)
  const exact = new Set(words)
  /** @type {Mark[]} */
  const marks = []
  all.forEach((word, index) => {
    for (const phrase of phrases)
      if (isAt(texts, index, phrase))
        marks.push({ start: word.start, end: all[index + phrase.length - 1].end })
    if (exact.has(word.text)) marks.push(word)
    else if (prefix && word.text.startsWith(prefix))
      marks.push({ start: word.start, end: endOfPrefix(text, word, prefix) })
  })
  return merged(marks)
}

/** @param {Mark[]} marks in the order of `start` @returns {Mark[]} */
function merged(marks) {
  /** @type {Mark[]} */
  const apart = []
  for (const { start, end } of marks) {
    const last = apart.at(-1)
    if (last && start < last.end) last.end = Math.max(last.end, end)
    else apart.push({ start, end })
  }
  return apart
}

/** Where the part of a word ends that a prefix stands for. @param {string} text @param {Word} word @param {string} prefix */
function endOfPrefix(text, word, prefix) {
  let end = word.start
  for (const sign of text.slice(word.start, word.end)) {
    const isMark = /\p{M}/u.test(sign)
    if (!isMark && end > word.start && folded(text.slice(word.start, end)).startsWith(prefix)) break
    end += sign.length
  }
  return end
}

/**
 * The part of a text with the most of what a query has found, in one line, split at what is found.
 *
 * @param {string} text
 * @param {Query} query
 * @returns {Part[]}
 */
export function snippetOf(text, query) {
  const marks = marksIn(text, query)
  const start = startOf(text, densest(marks))
  const end = endOf(text, start)
  /** @type {Part[]} */
  const parts = [{ text: start > 0 ? '…' : '', isFound: false }]
  let done = start
  for (const mark of marks.filter((one) => one.start >= start && one.start < end)) {
    parts.push({ text: text.slice(done, mark.start), isFound: false })
    done = Math.min(mark.end, end)
    parts.push({ text: text.slice(mark.start, done), isFound: true })
  }
  parts.push({ text: text.slice(done, end) + (end < text.length ? '…' : ''), isFound: false })
  return parts
    .map((part) => ({ ...part, text: oneLine(part.text).replace(/\s+/g, ' ') }))
    .filter((part) => part.text)
}

/** Where the shown part begins to have the most marks; the first of several. @param {Mark[]} marks */
function densest(marks) {
  let best = { start: 0, count: 0 }
  let last = 0
  marks.forEach((mark, first) => {
    while (last < marks.length && marks[last].end - mark.start <= SHOWN_CHARS - BEFORE_CHARS) last++
    if (last - first > best.count) best = { start: mark.start, count: last - first }
  })
  return best.start
}

/** The beginning of the text to show: that of a word, if one begins near enough. @param {string} text @param {number} found */
function startOf(text, found) {
  if (found <= BEFORE_CHARS) return 0
  const from = found - BEFORE_CHARS
  const blank = text.slice(from, found).search(/\s/)
  return atCharacter(text, blank < 0 ? from : from + blank + 1)
}

/** @param {string} text @param {number} start */
function endOf(text, start) {
  if (text.length - start <= SHOWN_CHARS) return text.length
  const end = start + SHOWN_CHARS
  const blank = text.slice(end - BEFORE_CHARS, end).lastIndexOf(' ')
  return atCharacter(text, blank < 0 ? end : end - BEFORE_CHARS + blank)
}

/** A place that is not within a character with its marks. @param {string} text @param {number} at */
function atCharacter(text, at) {
  let place = at
  while (place > 0 && /^[\p{M}\u200d\udc00-\udfff]/u.test(text.slice(place, place + 2))) place--
  return place
}
