/**
 * Loads the pages of a chat into its message window. Of several loads only the latest counts, and changes that come
 * meanwhile are applied to the page too.
 *
 * @typedef {import('@/types').Page} Page
 * @typedef {'newest' | 'around' | 'before' | 'after'} Load
 * @typedef {{ around: number } | { after: number, mark?: number } | { mark: number }} Anchor where to load all messages
 *   anew: the query of a page, by message id, or the `seq` after which the page begins
 */

import { createPages, LARGEST_PAGE, MAX_PAGES_BACK } from './pages'

/**
 * @param {object} options
 * @param {number} options.chatId
 * @param {import('./pages').Api} options.api
 * @param {ReturnType<typeof import('./messageWindow').createMessageWindow>} options.loaded
 * @param {import('./timeline').TimelineState} options.state
 */
export function createLoader({ chatId, api, loaded, state }) {
  const pages = createPages(chatId, api)
  /** Changes that came while a page was loading: the page may be older. @type {(() => void)[]} */
  let buffered = []
  let latestLoad = 0
  /** The highest `seq` of a message that a page or an event has shown. */
  let newestSeq = 0
  /**
   * The first message of the window and the `seq` after which it is the first, if that is known.
   *
   * @type {{ first: import('./messageWindow').End | null, seq: number } | null}
   */
  let start = null

  function publish() {
    state.messages = loaded.messages
    state.hasBefore = loaded.first !== null
    state.hasAfter = loaded.last !== null
  }

  /**
   * Loads a page and applies it. Resolves to false if a later load has replaced this one.
   *
   * @template {Page} P
   * @param {Load} kind
   * @param {(isWanted: () => boolean) => Promise<P>} request
   * @param {(page: P) => void} apply
   */
  async function load(kind, request, apply) {
    const own = ++latestLoad
    const isLatest = () => own === latestLoad
    buffered = []
    state.loading = kind
    try {
      const page = await request(isLatest)
      if (!isLatest()) return false
      apply(page)
      for (const change of buffered) change()
      newestSeq = Math.max(newestSeq, page.head_seq)
      state.error = null
      publish()
      return true
    } catch (error) {
      if (!isLatest()) return false
      throw error
    } finally {
      if (isLatest()) cancel()
    }
  }

  /** Ignores the page that is loading. */
  function cancel() {
    latestLoad++
    buffered = []
    state.loading = null
  }

  /** Replaces all messages by those of a page. @param {Page} page @param {number | null} after the `seq` after which it begins, if known */
  function replace(page, after = null) {
    loaded.replace(page)
    start = after === null ? null : { first: loaded.first, seq: after }
    state.resets++
  }

  /**
   * Replaces all messages by the page at an anchor.
   *
   * @param {Anchor | null} anchor null: the newest page
   * @param {(page: Page) => void} before called with the page before it is applied
   * @returns {Promise<boolean>}
   */
  function loadAt(anchor, before = () => {}) {
    /** @param {Page} page @param {number | null} [after] */
    function apply(page, after) {
      before(page)
      replace(page, after)
    }
    if (anchor === null) return load('newest', () => pages.get({}), apply)
    if ('around' in anchor) return load('around', () => pages.get({ around: anchor.around }), apply)
    if ('after' in anchor) {
      return load(
        'around',
        () => pages.get({ after: anchor.after }),
        (page) => apply(page, anchor.mark ?? (page.messages[0]?.seq ?? 1) - 1),
      )
    }
    return load(
      'around',
      (isWanted) => pages.getAfterSeq(anchor.mark, isWanted),
      (/** @type {Page & { startsAfterSeq?: boolean }} */ page) =>
        apply(page, page.startsAfterSeq ? anchor.mark : null),
    )
  }

  /** Waits for a load and puts the reason for its failure into `state.error`. @param {Promise<unknown>} loading */
  async function settle(loading) {
    try {
      await loading
    } catch (error) {
      state.error = /** @type {import('@/types').Failure} */ (error)
    }
  }

  /** Loads the page before the first message. Does nothing while another page is loading. @param {{ limit?: number }} size */
  async function loadBefore(size = {}) {
    if (!loaded.first || state.loading) return
    const query = { before: loaded.first.id, ...size }
    await settle(load('before', () => pages.get(query), loaded.prepend))
  }

  /** Loads the page after the last message. Does nothing while another page is loading. @param {{ limit?: number }} size */
  async function loadAfter(size = {}) {
    if (!loaded.last || state.loading) return
    const after = loaded.last.id
    await settle(load('after', () => pages.get({ after, ...size }), loaded.append))
  }

  /** Whether every message after a `seq`, up to the end of what is loaded, is loaded. @param {number} seq */
  function reaches(seq) {
    const { first } = loaded
    return !first || first.seq <= seq + 1 || (start?.first === first && seq >= start.seq)
  }

  /** Loads earlier pages until every message after a `seq` is loaded. @param {number} seq */
  async function reachBack(seq) {
    for (let count = 0; count < MAX_PAGES_BACK && !reaches(seq); count++) {
      if (state.loading) return
      await loadBefore({ limit: LARGEST_PAGE })
      if (state.error) return
    }
  }

  /** Applies a change now, and again to the page that is loading. @param {() => void} change */
  function apply(change) {
    if (state.loading) buffered.push(change)
    change()
    publish()
  }

  return {
    publish,
    cancel,
    loadAt,
    settle,
    loadBefore,
    loadAfter,
    reaches,
    reachBack,
    apply,
    /** Forgets which messages were shown: in another epoch the numbers begin anew. */
    forgetNewest: () => void (newestSeq = 0),
    /** Whether the first loaded message is the first one after the read mark of an anchor. */
    startsAtMark: () => start !== null && start.first === loaded.first,

    /** Notes the `seq` of an event's message. Returns whether no page and no event has shown it before. @param {number} seq */
    noteNewest(seq) {
      const isNew = seq > newestSeq
      newestSeq = Math.max(newestSeq, seq)
      return isNew
    },
  }
}
