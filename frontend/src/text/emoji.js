/** Texts that consist of emoji. */

/** Digits and signs such as © are emoji too, but not by themselves. */
const ONE = [
  String.raw`\p{RI}\p{RI}`,
  String.raw`[#*0-9]\ufe0f?\u20e3`,
  String.raw`(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}(?=[\ufe0f\p{EMod}]))(?:\ufe0f|\p{EMod})?[\u{e0020}-\u{e007f}]*` +
    String.raw`(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{EMod})?)*`,
].join('|')
const EACH = new RegExp(ONE, 'gu')
/** No emoji has more code units, blanks included. */
const LENGTH_MAX = 40

/** How many emoji a text has if it has nothing else and at most `max` of them, else 0. @param {string} text @param {number} max */
export function emojiCount(text, max) {
  if (text.length > max * LENGTH_MAX) return 0
  let count = 0
  const rest = text.replace(EACH, () => {
    count++
    return ''
  })
  return count > max || rest.trim() ? 0 : count
}
