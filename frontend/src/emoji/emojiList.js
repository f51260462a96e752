/** All emoji with their names: data of the package emoji-picker-element-data, loaded from the client's own server. */
import { isDrawn } from './isDrawn'

/**
 * @typedef {object} Emoji
 * @property {string} emoji
 * @property {number} group the number of its category
 * @property {string} name what it shows, in the language of the client
 * @property {string[]} codes such as `smile`
 * @property {string[]} names in the languages of the client and of the codes, with `_` for blanks
 * @property {string[]} words that find it
 * @property {string[]} skins the emoji in five skin tones; empty if it has none
 *
 * @typedef {import('../../emojiData').Entry} Entry an emoji in the data, as the build leaves it
 */

/** The group of what is no emoji by itself: skin tones and the like. */
const COMPONENTS = 2

/** @type {Map<string, Promise<Emoji[]>>} */
const lists = new Map()

/**
 * The emoji that the browser can draw, in the order of Unicode. Each language is loaded once; after a failure again.
 *
 * @param {string} language
 */
export function loadEmoji(language) {
  const known = lists.get(language)
  if (known) return known
  const list = loaded(language)
  list.catch(() => lists.delete(language))
  lists.set(language, list)
  return list
}

/** @param {string} language @returns {Promise<Emoji[]>} */
async function loaded(language) {
  const [english, local] = await Promise.all([
    import('emoji-picker-element-data/en/emojibase/data.json'),
    language === 'ru' ? import('emoji-picker-element-data/ru/emojibase-native/data.json') : null,
  ])
  const others = new Map(entriesOf(local).map((entry) => [entry.emoji, entry]))
  const entries = entriesOf(english)
  const newest = newestVersion(entries)
  return entries
    .filter(({ group, version }) => group !== COMPONENTS && version <= newest)
    .map((entry) => emojiOf(entry, others.get(entry.emoji)))
}

/** @param {{ default: any } | null} module @returns {Entry[]} */
const entriesOf = (module) => module?.default ?? []

/** @param {Entry} entry @param {Entry | undefined} local @returns {Emoji} */
function emojiOf(entry, local) {
  const codes = [...(entry.shortcodes ?? []), ...(local?.shortcodes ?? [])]
  const described = local ? [local, entry] : [entry]
  const names = described.map(({ annotation }) => annotation.toLowerCase().replaceAll(' ', '_'))
  const tags = described.flatMap((one) => one.tags ?? [])
  return {
    emoji: bare(entry.emoji),
    group: entry.group,
    name: (local ?? entry).annotation,
    codes,
    names,
    words: [...names, ...tags].flatMap((name) => name.toLowerCase().split(/[\s_]+/)),
    skins: (entry.skins ?? []).map(bare),
  }
}

/** Without a selector that changes nothing, as the server compares emoji. @param {string} emoji */
function bare(emoji) {
  return /^\p{Emoji_Presentation}\ufe0f$/u.test(emoji) ? emoji.slice(0, -1) : emoji
}

/**
 * The newest version of which the browser can draw an emoji; the newest of all if it draws none in colour. Only emoji of one
 * character tell: of others it may draw the parts.
 *
 * @param {Entry[]} entries
 */
function newestVersion(entries) {
  const single = entries
    .map((entry) => ({ ...entry, emoji: bare(entry.emoji) }))
    .filter(({ emoji }) => [...emoji].length === 1)
  const samples = new Map(single.map(({ version, emoji }) => [version, emoji]))
  const versions = [...samples.keys()].sort((a, b) => b - a)
  return versions.find((version) => isDrawn(samples.get(version) ?? '')) ?? Infinity
}
