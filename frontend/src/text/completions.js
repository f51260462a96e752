/** What the text before the caret begins: the name of a person or of an emoji. */
import { isInCode } from './codes'

/** No name that is searched for is longer. */
const LENGTH_MAX = 32
const BEFORE_MAX = LENGTH_MAX + 4
const PERSON = /(?<![\p{L}\p{N}_.@-])@([\p{L}\p{N}_.-]{0,32})$/u
const EMOJI = /(?<![\p{L}\p{N}_:/])(:(?=[\p{L}+-])[\p{L}\p{N}_+-]{2,32})$/u
const EMOJI_NAME = /(?<![\p{L}\p{N}_:/])(:[\p{L}\p{N}_+-]{2,32}:)$/u

/**
 * @typedef {object} Beginning
 * @property {'person' | 'emoji'} kind
 * @property {string} query the name so far, in lower case
 * @property {number} start where its `@` or `:` is
 * @property {number} end the caret
 */

/**
 * What can be completed at a caret. Nothing is in code.
 *
 * @param {string} text
 * @param {number} caret
 * @returns {Beginning | null}
 */
export function beginningAt(text, caret) {
  const before = text.slice(Math.max(0, caret - BEFORE_MAX), caret)
  const person = PERSON.exec(before)
  const emoji = EMOJI.exec(before)
  const found = person ? `@${person[1]}` : emoji?.[1]
  if (!found || isInCode(text, caret)) return null
  const query = found.slice(1).toLowerCase()
  return { kind: person ? 'person' : 'emoji', query, start: caret - found.length, end: caret }
}

/**
 * The whole name of an emoji before the caret, such as `:smile:`. None is in code.
 *
 * @param {string} text
 * @param {number} caret
 */
export function emojiNameAt(text, caret) {
  const found = EMOJI_NAME.exec(text.slice(Math.max(0, caret - BEFORE_MAX), caret))?.[1]
  if (!found || isInCode(text, caret)) return null
  return { name: found.slice(1, -1).toLowerCase(), start: caret - found.length, end: caret }
}

/**
 * The people whose username, or a word of whose name, begins with a text: usernames first, then in the order given.
 *
 * @template {{ username: string, display_name: string }} T
 * @param {T[]} people
 * @param {string} query in lower case
 * @returns {T[]}
 */
export function matching(people, query) {
  const isNamed = (/** @type {T} */ { display_name: name }) => ` ${name}`.toLowerCase().includes(` ${query}`)
  const hasUsername = (/** @type {T} */ { username }) => username.toLowerCase().startsWith(query)
  return [...people.filter(hasUsername), ...people.filter((one) => !hasUsername(one) && isNamed(one))]
}
