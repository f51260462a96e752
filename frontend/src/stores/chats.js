import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import { oneLine } from '@/i18n/bidi'
import api, { ApiError } from '@/services/api'
import { createOnce } from '@/services/queue'
import websocket from '@/services/websocket'
import { createMembers } from './chatMembers'
import { useSession } from './session'
import { useUsers } from './users'

const PAGE = 50
const LARGEST_PAGE = 200
const RETRY_MS = 5_000
/** It means: or more. */
const UNREAD_MAX = 1000

/** The chats of whoever is logged in. */
export const useChats = defineStore('chats', () => {
  const session = useSession()
  const users = useUsers()
  /** @type {Map<number, any>} */
  const chats = reactive(new Map())
  const members = createMembers({ chats, users, session })
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
  /** @type {Set<number>} the chats that went while the list was being loaded, which may still tell of them */
  const gone = new Set()

  watch(
    () => session.userId,
    () => {
      chats.clear()
      members.membersOf.clear()
      cursor.value = null
      state.value = 'idle'
    },
    { flush: 'sync' },
  )

  // The list.

  /** The list anew, as far down as it was loaded. Failure shows in `state`; it is tried again while there is a connection. */
  function load() {
    return once('load', async () => {
      if (!session.isLoggedIn) return
      state.value = 'loading'
      const before = [...chats.keys()]
      gone.clear()
      try {
        const found = await loadPages(null, chats.size)
        state.value = 'ready'
        const there = new Set(found.map(({ id }) => id))
        before.filter((id) => !there.has(id)).forEach(hasMore.value ? check : forget)
        before.forEach(members.reloadMembers)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        state.value = 'failed'
        if (error.retryable && websocket.isConnected()) setTimeout(load, error.retryAfterMs ?? RETRY_MS)
      }
    })
  }

  /** The next page of the list; nothing at its end. @throws {ApiError} */
  function loadMore() {
    return once('more', async () => {
      if (cursor.value) await loadPages(cursor.value, 1)
    })
  }

  /** The whole list. @throws {ApiError} */
  async function loadAll() {
    if (cursor.value) await loadPages(cursor.value, Infinity)
  }

  /**
   * Pages from a place on, until there are so many chats or no more.
   *
   * @param {string | null} from null: the top
   * @param {number} enough
   */
  async function loadPages(from, enough) {
    const user = session.userId
    /** @type {any[]} */
    const found = []
    let next = from
    do {
      const limit = Math.min(Math.max(enough - found.length, PAGE), LARGEST_PAGE)
      const page = await api.get('/chats', { cursor: next, limit })
      if (session.userId !== user) return [] // somebody else is here now
      for (const chat of page.chats) if (!gone.has(chat.id)) put(chat)
      found.push(...page.chats)
      next = page.next_cursor
    } while (next && found.length < enough)
    cursor.value = next
    return found
  }

  // One chat.

  /** A chat, or undefined if it is not in memory. @param {number} chatId */
  function get(chatId) {
    return chats.get(chatId)
  }

  /** A chat by its id, asked for. @param {number} chatId @throws {ApiError} `not_found` */
  function fetch(chatId) {
    return once(`chat ${chatId}`, async () => put(await api.get(`/chats/${chatId}`)))
  }

  /** Looks whether a chat is there, as far as that can be said now. @param {number} chatId */
  async function check(chatId) {
    try {
      await fetch(chatId)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.code === 'not_found') forget(chatId)
    }
  }

  /** Takes in what the server tells, but nothing older than what is known. @param {any} chat */
  function put(chat) {
    const known = chats.get(chat.id)
    if (!known) chats.set(chat.id, chat)
    else if (chat.seq >= known.seq) Object.assign(known, chat)
    return chats.get(chat.id)
  }

  /** @param {number} chatId */
  function forget(chatId) {
    gone.add(chatId)
    chats.delete(chatId)
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
    return put(await api.post('/chats', wish))
  }

  /** The one private chat with somebody. @param {number} userId @throws {ApiError} */
  function openPrivate(userId) {
    return create({ chat_type: 'private', member_ids: [userId] })
  }

  /** @param {number} chatId @param {string} name @throws {ApiError} */
  async function rename(chatId, name) {
    put(await api.patch(`/chats/${chatId}`, { name }))
  }

  /** Deletes a chat for everybody. @param {number} chatId @throws {ApiError} */
  async function remove(chatId) {
    await api.delete(`/chats/${chatId}`)
    forget(chatId)
  }

  // What the room has seen.

  /** The newest message of a chat as its room has it, null if there is none. @param {number} chatId @param {any} message */
  function noteLatest(chatId, message) {
    const chat = chats.get(chatId)
    if (!chat) return
    chat.last_message = message
    chat.seq = Math.max(chat.seq, message?.changed_seq ?? 0)
  }

  /** @param {number} chatId @param {number} unreadCount */
  function noteRead(chatId, unreadCount) {
    const chat = chats.get(chatId)
    if (chat) chat.unread_count = unreadCount
  }

  // What the server tells.

  websocket.on('connected', load)
  websocket.on('chat_added', ({ chat_id }) => {
    gone.delete(chat_id)
    check(chat_id)
  })
  websocket.on('chat_removed', ({ chat_id }) => forget(chat_id))
  websocket.on('chat_changed', ({ chat_id, chat }) => {
    if (!chats.has(chat_id)) return
    put(chat)
    members.reloadMembers(chat_id)
  })
  // Of a chat that is joined, wherever it is shown: its messages themselves.
  websocket.on('new_message', ({ chat_id, message }) => {
    const chat = chats.get(chat_id)
    if (!chat) return void check(chat_id)
    const isNew = message.seq > chat.seq && message.sender_id !== session.userId
    if (isNew) chat.unread_count = Math.min(chat.unread_count + 1, UNREAD_MAX)
    if (message.seq > (chat.last_message?.seq ?? 0)) noteLatest(chat_id, message)
  })
  websocket.on('message_updated', ({ chat_id, message }) => {
    if (chats.get(chat_id)?.last_message?.id === message.id) noteLatest(chat_id, message)
  })
  websocket.on('message_deleted', ({ chat_id, message_id }) => {
    const chat = chats.get(chat_id)
    if (chat?.unread_count || chat?.last_message?.id === message_id) check(chat_id)
  })
  websocket.on('messages_read', ({ chat_id, user_id }) => {
    if (user_id === session.userId && chats.get(chat_id)?.unread_count) check(chat_id)
  })
  // Of all others: what came of them.
  websocket.on('chat_updated', ({ chat_id, last_message, unread_count, head_seq }) => {
    if (chats.has(chat_id)) put({ id: chat_id, last_message, unread_count, seq: head_seq })
    else check(chat_id)
  })

  return {
    list,
    state,
    hasMore,
    unreadTotal,
    load,
    loadMore,
    loadAll,
    get,
    fetch,
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
    noteLatest,
    noteRead,
  }
})
