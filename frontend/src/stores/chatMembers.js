import pLimit from 'p-limit'
import { reactive } from 'vue'
import api, { ApiError } from '@/services/api'
import { freshness } from '@/services/freshness'
import { createOnce } from '@/services/once'
import websocket from '@/services/websocket'

const AT_ONCE = 3
const RETRY_MS = 5_000

/**
 * @typedef {import('@/types').Member} Member
 * @typedef {import('@/types').Role} Role
 */

/**
 * The members of the chats whose members are wanted: a part of the store of chats.
 *
 * @param {object} options
 * @param {ReturnType<typeof import('./chatRecords').createChatRecords>} options.records
 * @param {ReturnType<typeof import('./users').useUsers>} options.users
 * @param {ReturnType<typeof import('./session').useSession>} options.session
 * @param {(chatId: number) => void} options.forgetChat called when the user has left a chat
 */
export function createMembers({ records, users, session, forgetChat }) {
  const { chats } = records
  /** @type {Map<number, Member[]>} */
  const membersOf = reactive(new Map())
  const once = createOnce()
  const enqueue = pLimit(AT_ONCE)

  /** The members of a chat; undefined until they are loaded, which this starts. @param {number} chatId */
  function members(chatId) {
    const known = membersOf.get(chatId)
    if (!known) once.any(`${chatId}`, () => request(chatId)).catch(() => {}) // the next call tries again
    return known
  }

  /** Loads the members. An answer that is under way already does not count. @param {number} chatId */
  function loadMembers(chatId) {
    return once(`${chatId}`, () => request(chatId))
  }

  /** Requests all pages of members. @param {number} chatId */
  function request(chatId) {
    return enqueue(async () => {
      const requestedAt = freshness.start()
      /** @type {Member[]} */
      const found = []
      let cursor = null
      do {
        const page = await api.get(`/chats/${chatId}/members`, { cursor })
        found.push(...page.members)
        cursor = page.next_cursor ?? null
      } while (cursor)
      apply(chatId, found, requestedAt)
    })
  }

  /** Loads the members again after a change. Returns false, and does nothing, if they are not wanted. @param {number} chatId */
  function reloadMembers(chatId) {
    if (!membersOf.has(chatId) && !once.isPending(`${chatId}`)) return false
    loadMembers(chatId).catch((error) => {
      if (!(error instanceof ApiError)) throw error
      // Without a connection nothing is retried: the next one loads everything.
      if (error.retryable && websocket.isConnected())
        setTimeout(() => reloadMembers(chatId), error.retryAfterMs ?? RETRY_MS)
    })
    return true
  }

  /** @param {number} chatId @param {Member[]} found all members @param {number} requestedAt */
  function apply(chatId, found, requestedAt) {
    if (!freshness.isNewer(`chat ${chatId} there`, requestedAt)) return
    if (!freshness.accept(`chat ${chatId} members`, requestedAt)) return
    show(chatId, found, requestedAt)
    const chat = chats.get(chatId)
    if (!chat) return
    if (freshness.accept(`chat ${chatId} count`, requestedAt)) chat.member_count = found.length
    const own = found.find(({ user }) => user.id === session.userId)
    if (own) records.noteOwn(chat, own, requestedAt)
  }

  /** @param {number} chatId @param {Member[]} found @param {number} requestedAt */
  function show(chatId, found, requestedAt) {
    for (const { user } of found) users.put(user, requestedAt)
    // The users are the objects of the store of users, so that a change of status shows here too.
    membersOf.set(
      chatId,
      found.map((member) => ({ ...member, user: users.known(member.user.id) ?? member.user })),
    )
  }

  /**
   * Shows a change of the user's own at once, and requests all members, because others may have changed some.
   *
   * @param {number} chatId
   * @param {(known: Member[]) => Member[]} change
   * @param {number} requestedAt
   */
  function changed(chatId, change, requestedAt) {
    const known = membersOf.get(chatId)
    freshness.changed(`chat ${chatId} members`)
    if (known) {
      show(chatId, change(known), requestedAt)
      const chat = chats.get(chatId)
      const difference = (membersOf.get(chatId)?.length ?? 0) - known.length
      // If the event of the change came first, the count is right already.
      if (chat && difference && freshness.accept(`chat ${chatId} count`, requestedAt))
        chat.member_count += difference
    }
    reloadMembers(chatId)
  }

  /** @param {Member[]} list @param {number} userId */
  const without = (list, userId) => list.filter(({ user }) => user.id !== userId)

  /** @param {number} chatId @param {number} userId @param {Role} role @throws {ApiError} */
  async function addMember(chatId, userId, role = 'member') {
    const requestedAt = freshness.start()
    const member = await api.post(`/chats/${chatId}/members`, { user_id: userId, role })
    changed(chatId, (known) => [...without(known, userId), member], requestedAt)
  }

  /**
   * Changes the role of a member, or until when they may not write (null: they may).
   *
   * @param {number} chatId
   * @param {number} userId
   * @param {{ role?: Role, muted_until?: string | null }} changes
   * @throws {ApiError}
   */
  async function changeMember(chatId, userId, changes) {
    const requestedAt = freshness.start()
    const member = await api.patch(`/chats/${chatId}/members/${userId}`, changes)
    changed(chatId, (known) => [...without(known, userId), member], requestedAt)
  }

  /** Removes a member. The user's own id leaves the chat. @param {number} chatId @param {number} userId @throws {ApiError} */
  async function removeMember(chatId, userId) {
    const requestedAt = freshness.start()
    await api.delete(`/chats/${chatId}/members/${userId}`)
    if (userId === session.userId) forgetChat(chatId)
    else changed(chatId, (known) => without(known, userId), requestedAt)
  }

  /** Removes somebody and keeps them out. @param {number} chatId @param {number} userId @param {string} [reason] @throws {ApiError} */
  async function banMember(chatId, userId, reason) {
    const requestedAt = freshness.start()
    await api.post(`/chats/${chatId}/bans`, { user_id: userId, reason })
    changed(chatId, (known) => without(known, userId), requestedAt)
  }

  /** @param {number} chatId */
  function forget(chatId) {
    membersOf.delete(chatId)
  }

  return {
    membersOf,
    members,
    loadMembers,
    reloadMembers,
    forget,
    addMember,
    changeMember,
    removeMember,
    banMember,
  }
}
