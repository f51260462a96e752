/**
 * Requests the pages of a chat's history over REST.
 *
 * @typedef {import('@/types').Page} Page
 * @typedef {{ get: (path: string, query?: Record<string, number>) => Promise<any> }} Api
 */

const PAGE_SIZE = 50
/** The size of a page on the way back to the first unread message. */
export const LARGEST_PAGE = 200
/** The first unread message is searched in this many pages; an older one is found by scrolling. */
export const MAX_PAGES_BACK = 100

/** @param {number} chatId @param {Api} api */
export function createPages(chatId, api) {
  /** @param {Record<string, number>} query @returns {Promise<Page>} */
  const get = (query) => api.get(`/chats/${chatId}/messages`, { limit: PAGE_SIZE, ...query })

  /**
   * The page with the first message after a `seq`. The server finds pages by message and not by `seq`, so this goes back
   * from the newest page.
   *
   * @param {number} seq
   * @param {() => boolean} isWanted false ends the search early
   * @returns {Promise<Page & { startsAfterSeq?: boolean }>} `startsAfterSeq`: the page begins with that message
   */
  async function getAfterSeq(seq, isWanted) {
    let page = await get({ limit: LARGEST_PAGE })
    for (let pages = 1; pages < MAX_PAGES_BACK && isWanted(); pages++) {
      const first = page.messages[0]
      if (!first || !page.has_more_before || first.seq <= seq + 1) break
      const earlier = await get({ before: first.id, limit: LARGEST_PAGE })
      const isBeforeSeq = (earlier.messages.at(-1)?.seq ?? 0) <= seq
      if (isBeforeSeq) return { ...page, startsAfterSeq: true }
      page = earlier
    }
    return page
  }

  return { get, getAfterSeq }
}
