/**
 * The host of an address, in letters that cannot be mistaken for others.
 *
 * A label is shown in its own alphabet if all its letters are of one alphabet that is in use today, and if it does not
 * consist of letters that look Latin. Any other label is shown in its ASCII form, `xn--…`.
 */

/** The alphabets of UAX #31, table 5. The letters of a label belong to one row. */
const ALPHABETS = [
  ['Latin'],
  ['Cyrillic'],
  ['Greek'],
  ['Armenian'],
  ['Georgian'],
  ['Hebrew'],
  ['Arabic'],
  ['Han', 'Hiragana', 'Katakana'],
  ['Han', 'Hangul'],
  ['Han', 'Bopomofo'],
  ...['Bengali', 'Devanagari', 'Ethiopic', 'Gujarati', 'Gurmukhi', 'Kannada', 'Khmer', 'Lao', 'Malayalam'],
  ...['Myanmar', 'Oriya', 'Sinhala', 'Tamil', 'Telugu', 'Thaana', 'Thai', 'Tibetan'],
].map((scripts) => {
  const letters = [scripts].flat().map((script) => `\\p{Script_Extensions=${script}}`)
  return new RegExp(`^[${letters.join('')}\\p{Script=Inherited}0-9-]+$`, 'u')
})

/** Letters, marks and digits: nothing that is invisible or looks like a slash or a dot. */
const WORD = /^[\p{L}\p{M}\p{N}-]+$/u
const NOT_WORD = /[\p{Default_Ignorable_Code_Point}\p{No}\p{Nl}]/u
/** A mark on a letter that Unicode has no precomposed form for. */
const ODD_MARK = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}0-9-]\p{Script=Inherited}/u
/** Latin letters of living languages; the others (ɑ, ɡ, ᴀ, ꜱ …) look like these. */
const USUAL_LATIN =
  /^[a-z0-9\u00df-\u00f6\u00f8-\u0148\u014a-\u017e\u01a1\u01b0\u0219\u021b\u0259\u1e00-\u1eff-]+$/
/** A dotless i in a word that has no other letter of Turkish or its relatives. */
const LONE_DOTLESS_I = /^[a-z0-9-]*\u0131[a-z0-9\u0131-]*$/

/** Lower-case letters that look Latin, with the digits and hyphens of any label. */
const LOOKS_LATIN = [
  /^[аысԁеԍһіюјӏорԗԛѕԝхуъьҽпгѵѡєԑқҡҳҷҹ0-9-]+$/,
  /^[αικνρυωηοτγχεϲϳσ0-9-]+$/,
  /^[ագզէլհյոսւօցքձ0-9-]+$/,
  /^[იოყძხჽჿ0-9-]+$/,
  /^[וןסחדיװײ0-9-]+$/,
]

/**
 * Whether a label can be mistaken for another one.
 *
 * @param {string} label in lower case
 * @param {number} index
 * @param {string[]} labels
 */
function isAmbiguous(label, index, labels) {
  if (/^[a-z0-9_-]*$/.test(label)) return false
  if (!WORD.test(label) || NOT_WORD.test(label) || ODD_MARK.test(label)) return true
  if (!ALPHABETS.some((alphabet) => alphabet.test(label))) return true
  if (/\p{Script=Latin}/u.test(label)) return !USUAL_LATIN.test(label) || LONE_DOTLESS_I.test(label)
  const isTop = index > 0 && index === labels.length - 1 // such as .հայ: no one can register a look-alike of a top-level domain
  return !isTop && LOOKS_LATIN.some((letters) => letters.test(label))
}

/**
 * The host to show: as written if it is ASCII, in its own alphabet and lower case if it cannot be mistaken for another, else
 * in its ASCII form.
 *
 * @param {string} written without a port
 * @param {string} asked the same host as `URL.hostname` has it
 */
export function shownHost(written, asked) {
  if (/^[\x21-\x7e]*$/.test(written)) return written
  const small = written.normalize('NFKC').toLowerCase()
  return small.split(/[.。]/).some(isAmbiguous) ? asked : small
}
