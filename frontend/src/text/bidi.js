/**
 * Keeps texts by users from changing the direction of the text around them.
 *
 * Characters that override, embed or isolate (U+202A…U+202E, U+2066…U+2069) are removed from names and previews, because an
 * unmatched one would affect what comes after it.
 */

const FIRST_STRONG_ISOLATE = '\u2068'
const POP_ISOLATE = '\u2069'
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g
/** Control characters, among them paragraph separators, which would end an isolate as well. */
const LINE_ENDS = /[\p{Cc}\u2028\u2029]+/gu
/** Letters of right-to-left scripts, with their digits and marks. */
const FROM_THE_RIGHT =
  /[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * A text in one line, without characters that affect the direction of what is around it. For names, quotes and previews.
 *
 * @param {string} text
 */
export function oneLine(text) {
  return text.replace(CONTROLS, '').replace(LINE_ENDS, ' ')
}

/**
 * A text for a sentence without markup, as in labels, notices and announcements. A text with right-to-left letters is put
 * between FSI and PDI; any other stays as it is, for searching and for screen readers.
 *
 * @param {string} text
 */
export function isolated(text) {
  const line = oneLine(text)
  return FROM_THE_RIGHT.test(line) ? FIRST_STRONG_ISOLATE + line + POP_ISOLATE : line
}

/** The name of a user to show. @param {{ display_name?: string | null, username: string }} user */
export function personName(user) {
  return oneLine(user.display_name || user.username)
}
