const DATA = /emoji-picker-element-data\/.+\.json$/

/**
 * @typedef {object} Entry what emojiList.js uses of an emoji
 * @property {string} emoji
 * @property {number} group
 * @property {number} version
 * @property {string} annotation
 * @property {string[]} [shortcodes]
 * @property {string[]} [tags]
 * @property {string[]} [skins] the emoji in five skin tones
 */

/**
 * Leaves out of the data of emoji what the client does not use: nearly half of it.
 *
 * @returns {import('vite').Plugin}
 */
export function emojiData() {
  return {
    name: 'emoji-data',
    enforce: 'pre',
    transform: {
      filter: { id: DATA },
      handler: (json) => JSON.stringify(JSON.parse(json).map(entryOf)),
    },
  }
}

/** @param {Omit<Entry, 'skins'> & { skins?: { emoji: string, tone: number | number[] }[] }} entry @returns {Entry} */
function entryOf({ emoji, group, version, annotation, shortcodes, tags, skins }) {
  const tones = skins?.filter(({ tone }) => typeof tone === 'number').map((skin) => skin.emoji)
  return { emoji, group, version, annotation, shortcodes, tags, skins: tones }
}
