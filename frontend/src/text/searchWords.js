/**
 * The words of texts and of queries, by the rules of the server (docs/protocol.md, "Search"), so that what the server has
 * found can be marked. A word is a run of letters, digits and `_`, with the marks on them. Words are compared without case,
 * Latin and Greek letters without diacritics, ё as е.
 *
 * @typedef {{ text: string, start: number, end: number }} Word `text`: in the form in which words are compared; it stands
 *   between `start` and `end`
 * @typedef {{ words: string[], prefix: string, phrases: string[][] }} Query the exact words, what a word begins with
 *   (empty: nothing), and the phrases
 */

/** Variation selectors are marks that follow emoji. */
const RUN = /(?:(?![\ufe00-\ufe0f])[\p{L}\p{N}\p{M}_])+/gu
/** How much of a run is compared: the time for a run of marks grows with its square. */
const RUN_CHARS_MAX = 512

const NOT_ASCII = /[^\0-\x7f]/
const LATIN_OR_GREEK = /[\p{Script=Latin}\p{Script=Greek}]/u
/** Marks beside letters because there is no letter that has them inside. */
const MARKED = /([\p{Script=Latin}\p{Script=Greek}])(?:(?=\p{M})\p{Script=Inherited})+/gu
const MARKS = /\p{M}+/gu

/** Latin letters with a stroke or a hook, by the letter that they are made of. */
const STROKED = {
  a: 'ᶏⱥ',
  b: 'ƀƃɓᵬᶀꞗ',
  c: 'ƈȼɕꞓꞔ𝼝',
  d: 'đƌȡɖɗᵭᶁᶑꟈ',
  e: 'ɇᶒⱸꬴ',
  f: 'ƒᵮᶂꞙ',
  g: 'ǥɠᶃꞡ',
  h: 'ħɦⱨꞕ',
  i: 'ɨᶖ𝼚',
  j: 'ɉʝ',
  k: 'ƙᶄⱪꝁꝃꝅꞣ',
  l: 'łƚȴɫɬɭᶅⱡꝉꞎꬷꬸꬹ𝼑𝼓',
  m: 'ɱᵯᶆꬺ',
  n: 'ƞȵɲɳᵰᶇꞑꞥꬻ',
  o: 'øⱺꝋꝍ𝼛',
  p: 'ƥᵱᵽᶈꝑꝓꝕ',
  q: 'ɋʠꝗꝙ',
  r: 'ɍɼɽɾᵲᵳᶉꞧꭉ𝼖',
  s: 'ȿʂᵴᶊꞩꟊ𝼞',
  t: 'ŧƫƭȶʈᵵⱦ𝼉',
  u: 'ᶙꞹꭎꭒ',
  v: 'ʋᶌⱱⱴꝟ',
  w: 'ⱳ',
  x: 'ᶍꭖꭗꭘꭙ',
  y: 'ƴɏỿꭚ',
  z: 'ƶȥɀʐʑᵶᶎⱬ',
}
const PLAIN = new Map(
  Object.entries(STROKED).flatMap(([letter, stroked]) => [...stroked].map((one) => [one, letter])),
)

/** @param {string} text */
const bare = (text) => text.normalize('NFKD').replace(MARKS, '')

/** Without case: ß is ss, and a final ς is σ. The dotless ı is a letter of its own. @param {string} character */
const caseless = (character) => (character === 'ı' ? character : character.toUpperCase().toLowerCase())

/** @param {string} character */
function foldedCharacter(character) {
  if (!NOT_ASCII.test(character)) return character.toLowerCase()
  if (!LATIN_OR_GREEK.test(character)) return caseless(character).normalize('NFC').replace('ё', 'е')
  const letters = [...bare(character)].map(caseless).join('')
  return [...bare(letters)].map((one) => PLAIN.get(one) ?? one).join('')
}

/** A text in the form in which texts are compared. @param {string} text */
export function folded(text) {
  if (!NOT_ASCII.test(text)) return text.toLowerCase()
  return [...text.normalize('NFKC').replace(MARKED, '$1')].map(foldedCharacter).join('')
}

/** The words of a run; they are several if it has a sign such as ½. @param {string} run */
function wordsOf(run) {
  const found = folded(run.slice(0, RUN_CHARS_MAX)).match(RUN) ?? []
  return found.map((word) => word.replace(/^\p{M}+/u, '')).filter(Boolean)
}

/** The words of a text in their order. @param {string} text @returns {Word[]} */
export function wordsIn(text) {
  return [...text.matchAll(RUN)].flatMap(({ 0: run, index }) =>
    wordsOf(run).map((word) => ({ text: word, start: index, end: index + run.length })),
  )
}

/**
 * The query of a text. Its words are exact but for the last, which may be the beginning of a word; what stands between two
 * `"` is a phrase of exact words, and the last `"` without a partner is ignored.
 *
 * @param {string} text
 * @returns {Query}
 */
export function parseQuery(text) {
  const parts = text.split('"')
  if (parts.length % 2 === 0) parts.push(parts.splice(-2).join(' '))
  /** @type {Query} */
  const query = { words: [], prefix: '', phrases: [] }
  parts.forEach((part, index) => {
    const words = wordsIn(part).map((word) => word.text)
    if (!words.length) return
    if (query.prefix) query.words.push(query.prefix)
    query.prefix = ''
    if (index % 2) query.phrases.push(words)
    else {
      query.prefix = words[words.length - 1]
      query.words.push(...words.slice(0, -1))
    }
  })
  return query
}

/** Whether a query names anything that the server can look for. @param {string} text */
export const isSearchable = (text) => /[\p{L}\p{N}]/u.test(text)
