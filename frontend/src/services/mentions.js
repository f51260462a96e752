/**
 * Whether a message mentions a user, by name or with all others.
 *
 * @param {Pick<import('@/types').Message, 'mentions' | 'mentions_all' | 'sender_id'>} message
 * @param {number | null} userId
 */
export function mentionsUser({ mentions, mentions_all, sender_id }, userId) {
  if (userId === null || sender_id === userId) return false
  return Boolean(mentions_all || mentions?.includes(userId))
}
