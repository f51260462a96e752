import api from '@/services/api'
import { freshness } from '@/services/freshness'

const PAGE_SIZE = 200

/**
 * What the user has set for themselves in their chats: a part of the store of chats.
 *
 * @param {object} options
 * @param {ReturnType<typeof import('./session').useSession>} options.session
 * @param {ReturnType<typeof import('@/services/once').createOnce>} options.once
 * @param {ReturnType<typeof import('./chatRecords').createChatRecords>['noteRead']} options.noteRead
 * @param {(answer: import('@/types').Chat, requestedAt: number) => unknown} options.apply
 * @param {(chatId: number, requestedAt: number) => boolean} options.isOutdated whether a list that was requested later has
 *   been applied, and may have left the chat out
 */
export function createChatSettings({ session, once, noteRead, apply, isOutdated }) {
  /** @param {number} chatId @param {import('@/types').ChatSettings} settings those that change @throws {ApiError} */
  async function configure(chatId, settings) {
    const requestedAt = freshness.start()
    apply(await api.patch(`/chats/${chatId}/me`, settings), requestedAt)
  }

  /** Marks all messages of a chat as read, and takes the user's own mark away. @param {number} chatId @throws {ApiError} */
  async function markRead(chatId) {
    const { up_to, ...counts } = await api.post(`/chats/${chatId}/read`)
    noteRead(chatId, counts, up_to ? { last_read_message_id: up_to } : {})
    await configure(chatId, { marked_unread: false })
  }

  /** Loads the hidden chats. @throws {ApiError} */
  function loadHidden() {
    return once('hidden', async () => {
      const user = session.userId
      let cursor = null
      let isWhole = false
      do {
        const requestedAt = freshness.start()
        const page = await api.get('/chats', { hidden: 'true', cursor, limit: PAGE_SIZE })
        if (session.userId !== user) return // another user has logged in
        if (page.chats.some((/** @type {import("@/types").Chat} */ { id }) => isOutdated(id, requestedAt))) {
          cursor = null
          continue
        }
        for (const chat of page.chats) apply(chat, requestedAt)
        cursor = page.next_cursor
        isWhole = cursor === null
      } while (!isWhole)
    })
  }

  return { configure, markRead, loadHidden }
}
