/**
 * Reactions as the server compares them and as they are shown.
 *
 * @typedef {Record<string, number[]>} Reactions by emoji, who reacts with it, in the order in which they did
 *
 * @typedef {object} Pill the reactions to a message with one emoji
 * @property {string} emoji as the server has it
 * @property {number[]} userIds
 * @property {boolean} isOwn whether the user is among them
 */

const SELECTORS_AT_THE_END = /\ufe0f+$/
/** Ends with a character that is drawn as text unless U+FE0F follows. */
const TEXT_AT_THE_END = /(?!\p{Emoji_Presentation})\p{Emoji}$/u

/** An emoji as the server compares and stores it. @param {string} emoji */
export function storedEmoji(emoji) {
  return emoji.replace(SELECTORS_AT_THE_END, '')
}

/** An emoji as it is drawn in colour. @param {string} emoji as the server has it */
export function drawnEmoji(emoji) {
  return TEXT_AT_THE_END.test(emoji) ? `${emoji}\ufe0f` : emoji
}

/**
 * The reactions to a message, with what the user wants and the server has not acked yet.
 *
 * @param {Reactions | undefined} reactions
 * @param {number} ownId
 * @param {Map<string, boolean> | undefined} wishes by emoji, whether the user wants to react with it
 * @returns {Pill[]}
 */
export function pillsOf(reactions = {}, ownId, wishes = new Map()) {
  const emoji = [...new Set([...Object.keys(reactions), ...wishes.keys()])]
  return emoji
    .map((one) => pillOf(one, reactions[one] ?? [], ownId, wishes.get(one)))
    .filter(({ userIds }) => userIds.length)
}

/** @param {string} emoji @param {number[]} userIds @param {number} ownId @param {boolean} [wish] @returns {Pill} */
function pillOf(emoji, userIds, ownId, wish) {
  const is = userIds.includes(ownId)
  const isOwn = wish ?? is
  if (isOwn === is) return { emoji, userIds, isOwn }
  return { emoji, userIds: isOwn ? [...userIds, ownId] : userIds.filter((id) => id !== ownId), isOwn }
}
