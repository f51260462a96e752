import { defineStore } from 'pinia'
import { reactive, shallowRef, watch } from 'vue'
import { onEvent } from '@/composables/onEvent'
import api, { ApiError } from '@/services/api'
import { freshness } from '@/services/freshness'
import { createOnce } from '@/services/once'
import websocket from '@/services/websocket'
import { followChatEvents } from './chatEvents'
import { createChatList } from './chatList'
import { createMembers } from './chatMembers'
import { createChatNames } from './chatNames'
import { createChatRecords } from './chatRecords'
import { createChatSettings } from './chatSettings'
import { useSession } from './session'
import { useUsers } from './users'

const RETRY_MS = 5_000
/** The ack of a join comes after the replay, which may be long. */
const JOIN = { timeoutMs: 60_000 }

/**
 * @typedef {import('@/types').Chat} Chat
 * @typedef {{ reason: string, name: string }} Removal `reason`: `left`, `removed`, `banned`, `deleted`, or `gone` if the
 *   chat was found to be gone
 * @typedef {{ chatId: number, name: string, before: string | null, until: string | null }} MuteChange
 */

/** The chats of the user who is logged in. */
export const useChats = defineStore('chats', () => {
  const session = useSession()
  const users = useUsers()
  const once = createOnce()
  const records = createChatRecords({ ownId: () => session.userId, onMute })
  const { chats } = records
  const members = createMembers({ records, users, session, forgetChat: forget })
  const names = createChatNames({ list: records.list, members, users, session })
  /** Why chats are gone, for users who still have them open. @type {Map<number, Removal>} */
  const removals = reactive(new Map())
  /** How the user's own mute in a chat has changed last. @type {import('vue').ShallowRef<MuteChange | null>} */
  const muteChange = shallowRef(null)
  /** The ids of the chats that the user is deleting: no reason is shown for these. @type {Set<number>} */
  const deleting = new Set()

  const chatList = createChatList({
    records,
    session,
    once,
    apply,
    check,
    onLoaded(known) {
      for (const id of new Set([...known, ...members.membersOf.keys()])) members.reloadMembers(id)
    },
  })

  const settings = createChatSettings({
    session,
    once,
    noteRead: records.noteRead,
    apply,
    isOutdated: (chatId, requestedAt) => !chats.has(chatId) && chatList.isLaterThan(requestedAt),
  })

  watch(
    () => session.life,
    () => {
      freshness.reset()
      records.clear()
      removals.clear()
      members.membersOf.clear()
      chatList.clear()
    },
    { flush: 'sync' },
  )
  onEvent('connected', () => void chatList.load())
  followChatEvents({
    records,
    members,
    session,
    check,
    isPending,
    onRemoved(chatId, reason, name) {
      const title = names.titleOf(chats.get(chatId)) || name
      if (reason && !deleting.has(chatId)) removals.set(chatId, { reason, name: title ?? '' })
      forget(chatId)
    },
  })

  /** @param {Chat} answer @param {number} requestedAt */
  function apply(answer, requestedAt) {
    const chat = records.apply(answer, requestedAt)
    if (chat) removals.delete(chat.id)
    // A message that the answer does not know may have shown the chat again.
    if (chat?.hidden && answer.seq < chat.seq) check(chat.id)
    return chat
  }

  /** @param {Chat} chat @param {string | null} before */
  function onMute(chat, before) {
    const until = chat.muted_until ?? null
    muteChange.value = { chatId: chat.id, name: names.titleOf(chat), before, until }
  }

  /** @param {number} chatId */
  function forget(chatId) {
    records.forget(chatId)
    members.forget(chatId)
  }

  /** A chat was removed while there was no connection, so nobody has said why. @param {number} chatId */
  function noteGone(chatId) {
    const name = names.titleOf(chats.get(chatId))
    if (name && !deleting.has(chatId)) removals.set(chatId, { reason: 'gone', name })
    forget(chatId)
  }

  /** Whether a request is under way whose answer may have a chat. @param {number} chatId */
  function isPending(chatId) {
    return once.isPending(`chat ${chatId}`) || chatList.isPending()
  }

  /** A chat, or undefined if it is not loaded. @param {number} chatId */
  function get(chatId) {
    return chats.get(chatId)
  }

  /** Requests a chat. @param {number} chatId @throws {ApiError} `not_found` */
  function fetch(chatId) {
    return once(`chat ${chatId}`, async () => {
      let requestedAt = freshness.start()
      try {
        let answer = await api.get(`/chats/${chatId}`)
        // A list that was requested later has been applied, and may have left the chat out.
        while (!chats.has(chatId) && chatList.isLaterThan(requestedAt)) {
          requestedAt = freshness.start()
          answer = await api.get(`/chats/${chatId}`)
        }
        const chat = apply(answer, requestedAt)
        if (chat) return chat
      } catch (error) {
        const isGone = error instanceof ApiError && error.code === 'not_found'
        if (isGone && freshness.isNewer(`chat ${chatId} there`, requestedAt)) noteGone(chatId)
        throw error
      }
      throw new ApiError({ status: 404, code: 'not_found' }) // it was removed meanwhile
    })
  }

  /** Requests a chat that has changed, again until there is an answer. @param {number} chatId */
  async function check(chatId) {
    try {
      await fetch(chatId)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Without a connection nothing is retried: the next one loads everything.
      if (error.retryable && websocket.isConnected())
        setTimeout(() => check(chatId), error.retryAfterMs ?? RETRY_MS)
    }
  }

  /**
   * @param {{ chat_type: string, name?: string, member_ids?: number[] }} params `group`, `channel` or `private`
   * @throws {ApiError}
   */
  async function create(params) {
    const requestedAt = freshness.start()
    const chat = await api.post('/chats', params)
    return apply(chat, requestedAt) ?? chat
  }

  /** The private chat with a user, created if there is none. @param {number} userId @throws {ApiError} */
  function openPrivate(userId) {
    return create({ chat_type: 'private', member_ids: [userId] })
  }

  /** Joins the chat of an invite. @param {string} code @throws {ApiError} `not_found`: the invite does not work any more */
  async function acceptInvite(code) {
    const requestedAt = freshness.start()
    const chat = await api.post(`/invites/${encodeURIComponent(code)}/accept`)
    return apply(chat, requestedAt) ?? chat
  }

  /**
   * Changes what is the same for all members.
   *
   * @param {number} chatId
   * @param {{ name?: string, is_public?: boolean, slow_mode_s?: number }} changes
   * @throws {ApiError}
   */
  async function change(chatId, changes) {
    const requestedAt = freshness.start()
    apply(await api.patch(`/chats/${chatId}`, changes), requestedAt)
  }

  /** Sets the picture of a chat, or takes it away. @param {number} chatId @param {Blob | null} picture @throws {ApiError} */
  async function setAvatar(chatId, picture) {
    const requestedAt = freshness.start()
    const path = `/chats/${chatId}/avatar`
    apply(await (picture ? api.put(path, picture) : api.delete(path)), requestedAt)
  }

  /** Joins a public chat. @param {number} chatId @throws {ApiError} `forbidden`: the user is banned from it */
  async function enter(chatId) {
    const requestedAt = freshness.start()
    const chat = await api.post(`/chats/${chatId}/join`)
    return apply(chat, requestedAt) ?? chat
  }

  /** Deletes a chat for all its members. @param {number} chatId @throws {ApiError} */
  async function remove(chatId) {
    deleting.add(chatId)
    try {
      await api.delete(`/chats/${chatId}`)
      forget(chatId)
    } finally {
      deleting.delete(chatId)
    }
  }

  /**
   * Joins a chat of the list. A joined chat gets no `chat_updated`, not even one that was due, so messages are replayed
   * and unread messages counted anew.
   *
   * @param {number} chatId
   */
  async function join(chatId) {
    const after_seq = chats.get(chatId)?.seq ?? 0
    const { epoch } = session
    const frame = { type: 'join_chat', chat_id: chatId, after_seq, ...(epoch && { epoch }) }
    try {
      const { gap } = await websocket.request(frame, JOIN)
      if (gap || chats.get(chatId)?.unread_count || isPending(chatId)) check(chatId)
    } catch {
      // The next connection joins again. A refused join needs nothing: the chat is gone.
    }
  }

  return {
    list: records.list,
    hidden: records.hidden,
    unreadTotal: records.unreadTotal,
    removals,
    muteChange,
    state: chatList.state,
    hasMore: chatList.hasMore,
    load: chatList.load,
    loadMore: chatList.loadMore,
    loadAll: chatList.loadAll,
    get,
    fetch,
    check,
    ...names,
    create,
    openPrivate,
    acceptInvite,
    change,
    setAvatar,
    enter,
    remove,
    members: members.members,
    loadMembers: members.loadMembers,
    addMember: members.addMember,
    changeMember: members.changeMember,
    removeMember: members.removeMember,
    banMember: members.banMember,
    ...settings,
    join,
    noteLatest: records.noteLatest,
    noteRead: records.noteRead,
  }
})
