/**
 * Walks through the history of a chat, without loading it into a timeline.
 *
 * @typedef {import('@/types').Message} Message
 * @typedef {import('@/types').Page} Page
 */

import { LARGEST_PAGE } from './pages'

/**
 * The pages on one side of a message, the nearest first.
 *
 * @param {object} options
 * @param {number} options.chatId
 * @param {import('./pages').Api} options.api
 * @param {number} options.from the id of the message
 * @param {'before' | 'after'} options.side
 * @param {number} options.maxPages
 * @returns {AsyncGenerator<Page>}
 */
export async function* walk({ chatId, api, from, side, maxPages }) {
  let next = from
  for (let count = 0; count < maxPages; count++) {
    /** @type {Page} */
    const page = await api.get(
      `/chats/${chatId}/messages`,
      /** @type {any} */ ({ [side]: next, limit: LARGEST_PAGE }),
    )
    const end = side === 'before' ? page.messages[0] : page.messages.at(-1)
    if (!end) return
    yield page
    if (!(side === 'before' ? page.has_more_before : page.has_more_after)) return
    next = end.id
  }
}
