import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import api, { ApiError } from '@/services/api'
import websocket from '@/services/websocket'
import { useSession } from './session'
import { useUsers } from './users'

const PAGE = 50
const LARGEST_PAGE = 200

/** The chats of whoever is logged in. */
export const useChats = defineStore('chats', () => {
  const session = useSession()
  const users = useUsers()
  /** @type {Map<number, any>} */
  const chats = reactive(new Map())
  /** @type {Map<number, any[]>} the members of the chats whose members were asked for */
  const membersOf = reactive(new Map())
  /** @type {import('vue').Ref<'idle' | 'loading' | 'ready' | 'failed'>} of the list */
  const state = ref('idle')
  /** @type {import('vue').Ref<string | null>} */
  const cursor = ref(null)
  const hasMore = computed(() => cursor.value !== null)
  const list = computed(() =>
    [...chats.values()].sort((a, b) => activityOf(b) - activityOf(a) || b.id - a.id),
  )
  const unreadTotal = computed(() => list.value.reduce((sum, chat) => sum + chat.unread_count, 0))
  /** @type {Map<string, Promise<any>>} what is being asked for already */
  const pending = new Map()

  watch(
    () => session.userId,
    () => {
      chats.clear()
      membersOf.clear()
      cursor.value = null
      state.value = 'idle'
    },
    { flush: 'sync' },
  )

  /**
   * @template T
   * @param {string} key
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  function once(key, run) {
    const running = pending.get(key) ?? run().finally(() => pending.delete(key))
    pending.set(key, running)
    return running
  }

  /** The list anew, as far down as it was loaded; also after a reconnect. Failure shows in `state`. */
  function load() {
    return once('load', async () => {
      state.value = 'loading'
      try {
        /** @type {any[]} */
        const found = []
        let next = null
        do {
          const limit = Math.min(Math.max(chats.size - found.length, PAGE), LARGEST_PAGE)
          const page = await api.get('/chats', { cursor: next, limit })
          found.push(...page.chats)
          next = page.next_cursor
        } while (next && found.length < chats.size)
        replaceAll(found)
        cursor.value = next
        state.value = 'ready'
      } catch (error) {
        state.value = 'failed'
        if (!(error instanceof ApiError)) throw error
      }
    })
  }

  /** @param {any[]} found */
  function replaceAll(found) {
    const there = new Set(found.map((chat) => chat.id))
    for (const id of [...chats.keys()]) if (!there.has(id)) remove_(id)
    found.forEach(put)
    for (const id of membersOf.keys()) loadMembers(id).catch(() => {})
  }

  /** The next page of the list; nothing at its end. */
  function loadMore() {
    return once('more', async () => {
      if (!cursor.value) return
      const page = await api.get('/chats', { cursor: cursor.value, limit: PAGE })
      page.chats.forEach(put)
      cursor.value = page.next_cursor
    })
  }

  /** @param {any} chat */
  function put(chat) {
    const known = chats.get(chat.id)
    if (known) Object.assign(known, chat)
    else chats.set(chat.id, chat)
    return chats.get(chat.id)
  }

  /** @param {number} chatId */
  function remove_(chatId) {
    chats.delete(chatId)
    membersOf.delete(chatId)
  }

  /** A chat, or undefined if it is not in memory. @param {number} chatId */
  function get(chatId) {
    return chats.get(chatId)
  }

  /**
   * A chat by its id, asked for if it is not in memory.
   *
   * @param {number} chatId
   * @throws {ApiError} `not_found`
   */
  function fetch(chatId) {
    return once(`chat ${chatId}`, async () => put(await api.get(`/chats/${chatId}`)))
  }

  /** When something last happened in a chat, in ms since 1970. @param {any} chat */
  function activityOf(chat) {
    return Date.parse(chat.last_message?.created_at ?? chat.created_at)
  }

  // Names.

  /** The other one of a private chat; undefined until it is known, which this sees to. @param {any} chat */
  function peerOf(chat) {
    const known = [chat.created_by, chat.last_message?.sender_id].find((id) => id && id !== session.userId)
    if (known) return known
    const members = members_(chat.id)
    return members?.find((member) => member.user.id !== session.userId)?.user.id
  }

  /** What a chat is called; empty until it is known. @param {any} chat */
  function titleOf(chat) {
    if (!chat) return ''
    if (chat.chat_type !== 'private') return chat.name ?? i18n.global.t('chats.unnamed')
    const peer = peerOf(chat)
    return peer ? users.nameOf(peer) : ''
  }

  // Changes.

  /**
   * @param {{ chat_type: 'group' | 'channel' | 'private', name?: string, member_ids?: number[] }} wish
   * @throws {ApiError}
   */
  async function create(wish) {
    return put(await api.post('/chats', wish))
  }

  /** The one private chat with somebody. @param {number} userId */
  function openPrivate(userId) {
    return create({ chat_type: 'private', member_ids: [userId] })
  }

  /** @param {number} chatId @param {string} name */
  async function rename(chatId, name) {
    return put(await api.patch(`/chats/${chatId}`, { name }))
  }

  /** Deletes a chat for everybody. @param {number} chatId */
  async function remove(chatId) {
    await api.delete(`/chats/${chatId}`)
    remove_(chatId)
  }

  // Members.

  /** The members of a chat; undefined until they are loaded, which this starts. @param {number} chatId */
  function members_(chatId) {
    const members = membersOf.get(chatId)
    if (!members) loadMembers(chatId).catch(() => {})
    return members
  }

  /** @param {number} chatId */
  function loadMembers(chatId) {
    return once(`members ${chatId}`, async () => {
      const { members } = await api.get(`/chats/${chatId}/members`)
      takeMembers(chatId, members)
    })
  }

  /** @param {number} chatId @param {any[]} members */
  function takeMembers(chatId, members) {
    for (const { user } of members) users.put(user)
    membersOf.set(chatId, members)
    const own = members.find(({ user }) => user.id === session.userId)
    const chat = chats.get(chatId)
    if (chat) Object.assign(chat, { member_count: members.length }, own && { role: own.role })
  }

  /** @param {number} chatId @param {number} userId */
  async function addMember(chatId, userId, role = 'member') {
    takeMember(chatId, await api.post(`/chats/${chatId}/members`, { user_id: userId, role }))
  }

  /** @param {number} chatId @param {number} userId @param {'owner' | 'admin' | 'member'} role */
  async function setRole(chatId, userId, role) {
    takeMember(chatId, await api.patch(`/chats/${chatId}/members/${userId}`, { role }))
  }

  /** @param {number} chatId @param {any} member */
  function takeMember(chatId, member) {
    const others = (membersOf.get(chatId) ?? []).filter(({ user }) => user.id !== member.user.id)
    takeMembers(chatId, [...others, member])
  }

  /** Oneself: leaves. @param {number} chatId @param {number} userId */
  async function removeMember(chatId, userId) {
    await api.delete(`/chats/${chatId}/members/${userId}`)
    if (userId === session.userId) remove_(chatId)
    else
      takeMembers(
        chatId,
        (membersOf.get(chatId) ?? []).filter(({ user }) => user.id !== userId),
      )
  }

  // What the room has seen.

  /** The newest message of a chat, as far as a room knows. @param {number} chatId @param {any} message */
  function noteMessage(chatId, message) {
    const chat = chats.get(chatId)
    if (!chat) return
    const last = chat.last_message
    if (!last || message.seq > last.seq || message.id === last.id) chat.last_message = message
    chat.seq = Math.max(chat.seq, message.changed_seq)
  }

  /** @param {number} chatId @param {number} unreadCount */
  function noteRead(chatId, unreadCount) {
    const chat = chats.get(chatId)
    if (chat) chat.unread_count = unreadCount
  }

  // What the server tells.

  websocket.on('connected', load)
  websocket.on('chat_added', ({ chat_id }) => void fetch(chat_id).catch(() => {}))
  websocket.on('chat_removed', ({ chat_id }) => remove_(chat_id))
  websocket.on('chat_changed', ({ chat_id, chat }) => {
    if (!chats.has(chat_id)) return
    put(chat)
    if (membersOf.has(chat_id)) loadMembers(chat_id).catch(() => {})
  })
  websocket.on('chat_updated', ({ chat_id, last_message, unread_count, head_seq }) => {
    const chat = chats.get(chat_id)
    if (chat) Object.assign(chat, { last_message, unread_count, seq: head_seq })
    else void fetch(chat_id).catch(() => {})
  })

  return {
    list,
    state,
    hasMore,
    unreadTotal,
    load,
    loadMore,
    get,
    fetch,
    activityOf,
    peerOf,
    titleOf,
    create,
    openPrivate,
    rename,
    remove,
    members: members_,
    loadMembers,
    addMember,
    setRole,
    removeMember,
    noteMessage,
    noteRead,
  }
})
