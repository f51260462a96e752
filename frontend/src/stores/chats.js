import pLimit from 'p-limit'
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import { oneLine } from '@/text/bidi'
import api, { ApiError } from '@/services/api'
import { freshness } from '@/services/freshness'
import { createOnce } from '@/services/once'
import websocket from '@/services/websocket'
import { createMembers } from './chatMembers'
import { useSession } from './session'
import { useUsers } from './users'

const PAGE = 50
const LARGEST_PAGE = 200
const RETRY_MS = 5_000
/** The rest of a long list comes after what is before the eyes. */
const REST_AFTER_MS = 1_000
const CHECKS_AT_ONCE = 3
/** The ack of a join follows the replay, which may be long. */
const JOIN = { timeoutMs: 60_000 }
/** In larger chats not everybody asks what has become of their role. */
const ROLE_MEMBERS = 100
/** It means: or more. */
const UNREAD_MAX = 1000

/** What of a chat is told apart from the rest, by names of its own in `freshness`. */
const GROUPS = {
  latest: ['last_message', 'seq'],
  unread: ['unread_count', 'unread_mentions'],
  mark: ['last_read_message_id', 'read_seq'],
  count: ['member_count'],
  own: ['role', 'muted_until'],
}

/** @param {string} field */
const groupOf = (field) => Object.entries(GROUPS).find(([, fields]) => fields.includes(field))?.[0] ?? 'about'

/** The newest change of a chat that something tells of. @param {any} chat */
const reachOf = ({ seq, last_message }) => Math.max(seq ?? 0, last_message?.seq ?? 0)

/** @typedef {{ reason: string, name: string }} Removal `reason`: `left`, `removed`, `banned` or `deleted` */

/** The chats of whoever is logged in. */
export const useChats = defineStore('chats', () => {
  const session = useSession()
  const users = useUsers()
  /** @type {Map<number, any>} */
  const chats = reactive(new Map())
  const members = createMembers({ chats, users, session, forgetChat: forget })
  /** @type {import('vue').Ref<'idle' | 'loading' | 'ready' | 'failed'>} of the list */
  const state = ref('idle')
  /** @type {import('vue').Ref<string | null>} where the next page begins */
  const cursor = ref(null)
  const hasMore = computed(() => cursor.value !== null)
  const list = computed(() =>
    [...chats.values()].sort((a, b) => activityOf(b) - activityOf(a) || b.id - a.id),
  )
  const unreadTotal = computed(() => list.value.reduce((sum, chat) => sum + chat.unread_count, 0))
  const once = createOnce()
  /** One look at the list at a time: each goes on where the one before it has left it. */
  const enqueue = pLimit(1)
  const enqueueChecks = pLimit(CHECKS_AT_ONCE)
  /**
   * The `seq` of messages by others that rooms told of, by chat: the answer to a question asked before may not have
   * counted them.
   *
   * @type {Map<number, number[]>}
   */
  const arrivals = new Map()
  /** Why the chats that went are gone, for those who still look at them. @type {Map<number, Removal>} */
  const removals = reactive(new Map())
  /** The chats that are being deleted here: nobody need be told why they are gone. @type {Set<number>} */
  const leaving = new Set()
  /** When the list was asked for that came last. */
  let listedAt = 0
  let restTimer = /** @type {any} */ (undefined)

  watch(
    () => session.userId,
    () => {
      clearTimeout(restTimer)
      freshness.reset()
      chats.clear()
      arrivals.clear()
      removals.clear()
      members.membersOf.clear()
      cursor.value = null
      state.value = 'idle'
    },
    { flush: 'sync' },
  )

  // The list.

  /**
   * The list anew, as far down as it was loaded, and the rest of it a little later: what is unread is counted over all.
   * Failure shows in `state`; it is tried again while there is a connection.
   */
  function load() {
    return once('list', () => enqueue(loadTop))
  }

  async function loadTop() {
    if (!session.isLoggedIn) return
    clearTimeout(restTimer)
    state.value = 'loading'
    const before = [...chats.keys()]
    const user = session.userId
    const begun = freshness.ask()
    try {
      const { found, asked } = await loadPages(null, chats.size)
      if (session.userId !== user) return
      listedAt = begun
      state.value = 'ready'
      for (const id of before.filter((id) => !found.has(id))) {
        // They have gone; or are further down, or have come up while the pages were read.
        if (asked === null) enqueueChecks(() => check(id))
        else if (freshness.isNews(`chat ${id} there`, asked)) forget(id)
      }
      for (const id of new Set([...before, ...members.membersOf.keys()])) members.reloadMembers(id)
      loadRestSoon(REST_AFTER_MS)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      state.value = 'failed'
      if (error.retryable && websocket.isConnected()) setTimeout(load, error.retryAfterMs ?? RETRY_MS)
    }
  }

  /** @param {number} ms */
  function loadRestSoon(ms) {
    clearTimeout(restTimer)
    if (!hasMore.value) return
    restTimer = setTimeout(async () => {
      try {
        await loadAll()
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.retryable && websocket.isConnected()) loadRestSoon(error.retryAfterMs ?? RETRY_MS)
      }
    }, ms)
  }

  /** The next page of the list; nothing at its end. @throws {ApiError} */
  function loadMore() {
    return once('more', () => enqueue(async () => void (cursor.value && (await loadPages(cursor.value, 1)))))
  }

  /** The whole list. @throws {ApiError} */
  function loadAll() {
    return once('all', () =>
      enqueue(async () => void (cursor.value && (await loadPages(cursor.value, Infinity)))),
    )
  }

  /**
   * Pages from a place on, until there are so many chats or no more; the ids that are in them, and, if one page was all
   * there is, when it was asked for.
   *
   * @param {string | null} from null: the top
   * @param {number} enough
   * @returns {Promise<{ found: Set<number>, asked: number | null }>}
   */
  async function loadPages(from, enough) {
    const user = session.userId
    /** @type {Set<number>} */
    const found = new Set()
    let next = from
    /** @type {number | null} */
    let asked
    do {
      const limit = Math.min(Math.max(enough - found.size, PAGE), LARGEST_PAGE)
      const isWhole = next === null
      asked = freshness.ask()
      const page = await api.get('/chats', { cursor: next, limit })
      if (session.userId !== user) return { found, asked: null } // somebody else is here now
      for (const chat of page.chats) {
        take(chat, asked)
        found.add(chat.id)
      }
      next = page.next_cursor
      if (!isWhole || next) asked = null
    } while (next && found.size < enough)
    cursor.value = next
    return { found, asked }
  }

  // One chat.

  /** A chat, or undefined if it is not in memory. @param {number} chatId */
  function get(chatId) {
    return chats.get(chatId)
  }

  /** A chat by its id, as it is now or later. @param {number} chatId @throws {ApiError} `not_found` */
  function fetch(chatId) {
    return once(`chat ${chatId}`, async () => {
      let asked = freshness.ask()
      try {
        let answer = await api.get(`/chats/${chatId}`)
        // The list that came meanwhile was asked later and may have left it out.
        while (!chats.has(chatId) && asked < listedAt) {
          asked = freshness.ask()
          answer = await api.get(`/chats/${chatId}`)
        }
        const chat = take(answer, asked)
        if (chat) return chat
      } catch (error) {
        const isGone = error instanceof ApiError && error.code === 'not_found'
        if (isGone && freshness.isNews(`chat ${chatId} there`, asked)) forget(chatId)
        throw error
      }
      throw new ApiError({ status: 404, code: 'not_found' }) // it went meanwhile
    })
  }

  /** Asks for a chat of which something has changed, until there is an answer. @param {number} chatId */
  async function check(chatId) {
    try {
      await fetch(chatId)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Without a connection all is asked for once there is one.
      if (error.retryable && websocket.isConnected())
        setTimeout(() => check(chatId), error.retryAfterMs ?? RETRY_MS)
    }
  }

  /**
   * Takes in an answer about a chat, as far as nothing newer is known; undefined if the chat has gone since the question.
   *
   * @param {any} chat
   * @param {number} asked
   */
  function take(chat, asked) {
    const { id } = chat
    const known = chats.get(id)
    if (!freshness.isNews(`chat ${id} there`, asked)) return known
    const fields = Object.keys(chat).filter((field) => !known || isNews(field, chat, known, asked))
    for (const group of new Set(Object.keys(chat).map(groupOf))) freshness.take(`chat ${id} ${group}`, asked)
    const news = Object.fromEntries(fields.map((field) => [field, chat[field]]))
    if ('unread_count' in news) news.unread_count = countOf(chat)
    if (known) Object.assign(known, news)
    else chats.set(id, news)
    removals.delete(id)
    return chats.get(id)
  }

  /** @param {string} field @param {any} chat @param {any} known @param {number} asked */
  function isNews(field, chat, known, asked) {
    const group = groupOf(field)
    if (group === 'latest' && chat.seq < known.seq) return false
    // A mark does not go back, so the one that is further on is the later one.
    if (group === 'mark' && chat.read_seq > known.read_seq) return true
    // What is counted from then on begins with the latest message, so that does not go on without the count.
    if (group === 'latest' && chat.seq > known.seq) return freshness.isNews(`chat ${chat.id} unread`, asked)
    return freshness.isNews(`chat ${chat.id} ${group}`, asked)
  }

  /** What is unread of a chat as an answer tells it, with what came after the moment it shows. @param {any} chat */
  function countOf(chat) {
    const reach = Math.max(reachOf(chat), chat.read_seq ?? 0)
    const later = (arrivals.get(chat.id) ?? []).filter((seq) => seq > reach)
    arrivals.set(chat.id, later)
    return Math.min(chat.unread_count + later.length, UNREAD_MAX)
  }

  /** @param {number} chatId */
  function forget(chatId) {
    freshness.told(`chat ${chatId} there`)
    chats.delete(chatId)
    arrivals.delete(chatId)
    members.forget(chatId)
  }

  /** When something last happened in a chat, in ms since 1970. @param {any} chat */
  function activityOf(chat) {
    return Date.parse(chat.last_message?.created_at ?? chat.created_at)
  }

  // Names.

  /** The other one of a private chat; undefined until it is known, which this sees to. @param {any} chat */
  function peerOf(chat) {
    const others = [chat.created_by, chat.last_message?.sender_id].filter((id) => id && id !== session.userId)
    if (others.length) return others[0]
    return members.members(chat.id)?.find(({ user }) => user.id !== session.userId)?.user.id
  }

  /** What a chat is called; empty until it is known. @param {any} chat */
  function titleOf(chat) {
    if (!chat) return ''
    if (chat.chat_type !== 'private') return oneLine(chat.name ?? '') || i18n.global.t('chats.unnamed')
    const peer = peerOf(chat)
    return peer ? users.nameOf(peer) : ''
  }

  /** Those of the list that have a text in their titles. @param {string} text */
  function matching(text) {
    const wanted = text.toLocaleLowerCase()
    return wanted
      ? list.value.filter((chat) => titleOf(chat).toLocaleLowerCase().includes(wanted))
      : list.value
  }

  /** Those of some users one has no private chat with yet. @param {any[]} found */
  function withoutPrivate(found) {
    const peers = new Set(list.value.filter(({ chat_type }) => chat_type === 'private').map(peerOf))
    return found.filter(({ id }) => id !== session.userId && !peers.has(id))
  }

  // Changes.

  /**
   * @param {{ chat_type: string, name?: string, member_ids?: number[] }} wish `group`, `channel` or `private`
   * @throws {ApiError}
   */
  async function create(wish) {
    const asked = freshness.ask()
    const chat = await api.post('/chats', wish)
    return take(chat, asked) ?? chat
  }

  /** The one private chat with somebody. @param {number} userId @throws {ApiError} */
  function openPrivate(userId) {
    return create({ chat_type: 'private', member_ids: [userId] })
  }

  /** @param {number} chatId @param {string} name @throws {ApiError} */
  async function rename(chatId, name) {
    const asked = freshness.ask()
    take(await api.patch(`/chats/${chatId}`, { name }), asked)
  }

  /** Deletes a chat for everybody. @param {number} chatId @throws {ApiError} */
  async function remove(chatId) {
    leaving.add(chatId)
    try {
      await api.delete(`/chats/${chatId}`)
      forget(chatId)
    } finally {
      leaving.delete(chatId)
    }
  }

  // What the room has seen.

  /**
   * The newest message of a chat as its room has it.
   *
   * @param {number} chatId
   * @param {any} message null: there is none
   * @param {number} seq the last change that the room has taken in
   */
  function noteLatest(chatId, message, seq = message?.changed_seq ?? 0) {
    const chat = chats.get(chatId)
    if (!chat) return
    freshness.told(`chat ${chatId} latest`)
    chat.last_message = message
    chat.seq = Math.max(chat.seq, seq)
  }

  /**
   * @param {number} chatId
   * @param {number} unreadCount
   * @param {{ last_read_message_id?: number, read_seq?: number }} [mark] where it is now
   */
  function noteRead(chatId, unreadCount, mark = {}) {
    const chat = chats.get(chatId)
    if (!chat) return
    freshness.told(`chat ${chatId} unread`)
    if ('last_read_message_id' in mark) freshness.told(`chat ${chatId} mark`)
    Object.assign(chat, mark, { unread_count: unreadCount })
  }

  /**
   * Enters the room of a chat of the list. What was about to be told to those outside is told no more then: messages
   * are replayed, marks are asked for.
   *
   * @param {number} chatId
   */
  async function join(chatId) {
    const frame = { type: 'join_chat', chat_id: chatId, after_seq: chats.get(chatId)?.seq ?? 0 }
    try {
      const { gap } = await websocket.request(frame, JOIN)
      if (gap || chats.get(chatId)?.unread_count || isAsked(chatId)) check(chatId)
    } catch {
      // Without a connection it is joined once there is one; where it is refused there is nothing to hear.
    }
  }

  // What the server tells.

  websocket.on('connected', load)
  websocket.on('chat_added', ({ chat_id }) => {
    freshness.told(`chat ${chat_id} there`) // whatever was asked before does not know of it
    check(chat_id)
    members.reloadMembers(chat_id)
  })
  websocket.on('chat_removed', ({ chat_id, reason, name }) => {
    const title = titleOf(chats.get(chat_id)) || name
    if (reason && !leaving.has(chat_id)) removals.set(chat_id, { reason, name: title ?? '' })
    forget(chat_id)
  })
  websocket.on('chat_changed', ({ chat_id, chat }) => {
    const known = chats.get(chat_id)
    if (!known) return void (isAsked(chat_id) && check(chat_id))
    for (const group of ['about', 'count']) freshness.told(`chat ${chat_id} ${group}`)
    Object.assign(known, chat, { seq: known.seq })
    if (members.reloadMembers(chat_id)) return
    // One's own role may be what has changed. In a large chat that is asked for when the chat is opened.
    if (known.member_count <= ROLE_MEMBERS) check(chat_id)
  })
  // Of a chat that is joined, wherever it is shown: its messages themselves.
  websocket.on('new_message', ({ chat_id, message }) => {
    const chat = chats.get(chat_id)
    if (!chat) return void check(chat_id)
    const isNew = message.seq > reachOf(chat)
    if (isNew && message.sender_id !== session.userId) {
      arrivals.set(chat_id, [...(arrivals.get(chat_id) ?? []).slice(-UNREAD_MAX), message.seq])
      chat.unread_count = Math.min(chat.unread_count + 1, UNREAD_MAX)
    }
    noteChange(chat, message)
  })
  websocket.on('message_updated', ({ chat_id, message }) => {
    const chat = chats.get(chat_id)
    if (chat && message) noteChange(chat, message)
  })
  websocket.on('message_deleted', ({ chat_id, message_id, seq }) => {
    const chat = chats.get(chat_id)
    if (!chat) return
    const isLast = chat.last_message?.id === message_id
    chat.seq = Math.max(chat.seq, seq ?? 0)
    if (isLast || chat.unread_count || isAsked(chat_id)) check(chat_id)
  })
  websocket.on('messages_read', ({ chat_id, user_id, up_to, read_seq }) => {
    const chat = chats.get(chat_id)
    if (user_id !== session.userId || !chat) return
    const mark = { last_read_message_id: up_to, ...(read_seq !== undefined && { read_seq }) }
    const isAll = chat.last_message?.id === up_to || read_seq >= reachOf(chat)
    if (isAll) return noteRead(chat_id, 0, mark)
    freshness.told(`chat ${chat_id} mark`)
    Object.assign(chat, mark)
    check(chat_id)
  })
  // Of all others: what came of them.
  websocket.on('chat_updated', (frame) => {
    const { chat_id, head_seq } = frame
    const chat = chats.get(chat_id)
    if (!chat) return void check(chat_id)
    if (head_seq < chat.seq) return // what came since is told as well
    freshness.told(`chat ${chat_id} latest`)
    freshness.told(`chat ${chat_id} unread`)
    freshness.told(`chat ${chat_id} mark`)
    arrivals.delete(chat_id)
    const told = [...GROUPS.latest, ...GROUPS.unread, ...GROUPS.mark].filter((field) => field in frame)
    Object.assign(chat, Object.fromEntries(told.map((field) => [field, frame[field]])), { seq: head_seq })
  })

  /** Takes in a message as a frame of its room has it. @param {any} chat @param {any} message */
  function noteChange(chat, message) {
    const last = chat.last_message
    const isNewer = last && last.id === message.id && last.changed_seq <= message.changed_seq
    if (isNewer || message.seq > (last?.seq ?? 0)) chat.last_message = message
    chat.seq = Math.max(chat.seq, message.changed_seq)
  }

  /** Whether an answer is under way that may tell of a chat. @param {number} chatId */
  function isAsked(chatId) {
    return [`chat ${chatId}`, 'list', 'more', 'all'].some(once.isAsked)
  }

  return {
    list,
    state,
    hasMore,
    unreadTotal,
    removals,
    load,
    loadMore,
    loadAll,
    get,
    fetch,
    check,
    peerOf,
    titleOf,
    matching,
    withoutPrivate,
    create,
    openPrivate,
    rename,
    remove,
    members: members.members,
    loadMembers: members.loadMembers,
    addMember: members.addMember,
    setRole: members.setRole,
    removeMember: members.removeMember,
    join,
    noteLatest,
    noteRead,
  }
})
