/** @typedef {import('./emojiList').Emoji} Emoji */

/**
 * How well a query matches, from 0; Infinity: not at all.
 *
 * @param {Emoji} emoji
 * @param {string} query in lower case, `_` for blanks
 */
function distanceOf({ codes, names, words }, query) {
  const all = [...codes, ...names]
  if (all.includes(query)) return 0
  if (all.some((name) => name.startsWith(query))) return 1
  if (all.some((name) => name.includes(`_${query}`))) return 2
  const isFound = query.split('_').every((part) => words.some((word) => word.startsWith(part)))
  return isFound ? 3 : Infinity
}

/**
 * The emoji that a text finds, the best first; those that were used lately come first among equals.
 *
 * @param {Emoji[]} list
 * @param {string} text
 * @param {object} options
 * @param {number} options.limit
 * @param {string[]} [options.recent] emoji, the last one used first
 */
export function searchEmoji(list, text, { limit, recent = [] }) {
  const query = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s:]+/g, '_')
    .replaceAll(/^_|_$/g, '')
  if (!query) return []
  /** @type {Emoji[][]} */
  const found = [[], [], [], []]
  for (const emoji of list) found[distanceOf(emoji, query)]?.push(emoji)
  const place = (/** @type {Emoji} */ { emoji }) => recent.indexOf(emoji) + 1 || recent.length + 1
  return found.flatMap((equals) => equals.sort((a, b) => place(a) - place(b))).slice(0, limit)
}

/**
 * The code of an emoji to show: one that begins with a query, else the shortest.
 *
 * @param {Emoji} emoji
 * @param {string} [query]
 */
export function codeOf({ codes }, query = '') {
  const sorted = [...codes].sort((a, b) => a.length - b.length)
  return sorted.find((code) => query && code.startsWith(query)) ?? sorted[0] ?? ''
}

/** The emoji of a whole name, such as `smile`. @param {Emoji[]} list @param {string} name */
export function emojiOfName(list, name) {
  return list.find(({ codes }) => codes.includes(name))
}
