/**
 * Whether it is known that fewer than two people have written in a chat: all of it is loaded and shows no second one.
 * Deleted messages are not seen here.
 *
 * @param {Pick<import('./timeline').TimelineState, 'messages' | 'loaded' | 'hasBefore' | 'hasAfter'> | undefined} state
 */
export function isOneSided(state) {
  if (!state?.loaded || state.hasBefore || state.hasAfter) return false
  return new Set(state.messages.map((message) => message.sender_id)).size < 2
}
