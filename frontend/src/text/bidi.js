/**
 * Text of other people inside sentences of the client: it cannot turn round what stands beside it.
 *
 * A character that reverses or embeds (U+202A…U+202E, U+2066…U+2069) has no place in a name or in a line of preview: an
 * unmatched one would reach beyond it, so it is dropped there.
 */

const FIRST_STRONG_ISOLATE = '\u2068'
const POP_ISOLATE = '\u2069'
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g
/** Control characters: bidi's ends of a paragraph are among them, which would end an isolate too. */
const LINE_ENDS = /[\p{Cc}\u2028\u2029]+/gu
/** Letters written from the right, their digits and marks. */
const FROM_THE_RIGHT =
  /[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * A text in one line, without characters that change the direction of what is around it: for names, quotes, previews.
 *
 * @param {string} text
 */
export function oneLine(text) {
  return text.replace(CONTROLS, '').replace(LINE_ENDS, ' ')
}

/**
 * A text to be put into a sentence that has no markup: labels, notices, announcements. Between FSI and PDI if it could
 * change the order of the words around it; a text without letters from the right stays as it is, so that searching and
 * reading aloud meet nothing strange.
 *
 * @param {string} text
 */
export function isolated(text) {
  const line = oneLine(text)
  return FROM_THE_RIGHT.test(line) ? FIRST_STRONG_ISOLATE + line + POP_ISOLATE : line
}

/** The name of a user, as it is shown. @param {{ display_name?: string | null, username: string }} user */
export function personName(user) {
  return oneLine(user.display_name || user.username)
}
