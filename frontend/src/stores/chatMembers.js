import pLimit from 'p-limit'
import { reactive } from 'vue'
import api, { ApiError } from '@/services/api'
import { freshness } from '@/services/freshness'
import { createOnce } from '@/services/once'
import websocket from '@/services/websocket'

const AT_ONCE = 3
const RETRY_MS = 5_000

/**
 * The members of the chats whose members were asked for: a part of the chats' store.
 *
 * @param {object} app
 * @param {Map<number, any>} app.chats
 * @param {ReturnType<typeof import('./users').useUsers>} app.users
 * @param {ReturnType<typeof import('./session').useSession>} app.session
 * @param {(chatId: number) => void} app.forgetChat the user has left it
 */
export function createMembers({ chats, users, session, forgetChat }) {
  /** @type {Map<number, any[]>} */
  const membersOf = reactive(new Map())
  const once = createOnce()
  const enqueue = pLimit(AT_ONCE)

  /** The members of a chat; undefined until they are loaded, which this starts. @param {number} chatId */
  function members(chatId) {
    const known = membersOf.get(chatId)
    if (!known) once.any(`${chatId}`, () => ask(chatId)).catch(() => {}) // asked for when shown again
    return known
  }

  /** The members as they are now or later. @param {number} chatId */
  function loadMembers(chatId) {
    return once(`${chatId}`, () => ask(chatId))
  }

  /** @param {number} chatId */
  function ask(chatId) {
    return enqueue(async () => {
      const requestedAt = freshness.start()
      /** @type {any[]} */
      const found = []
      let cursor = null
      do {
        const page = await api.get(`/chats/${chatId}/members`, { cursor })
        found.push(...page.members)
        cursor = page.next_cursor ?? null
      } while (cursor)
      take(chatId, found, requestedAt)
    })
  }

  /** After something has changed; false, and nothing, if nobody has asked for them. @param {number} chatId */
  function reloadMembers(chatId) {
    if (!membersOf.has(chatId) && !once.isPending(`${chatId}`)) return false
    loadMembers(chatId).catch((error) => {
      if (!(error instanceof ApiError)) throw error
      // Without a connection they are asked for once there is one.
      if (error.retryable && websocket.isConnected())
        setTimeout(() => reloadMembers(chatId), error.retryAfterMs ?? RETRY_MS)
    })
    return true
  }

  /** @param {number} chatId @param {any[]} found all members @param {number} requestedAt when */
  function take(chatId, found, requestedAt) {
    if (
      !freshness.isNewer(`chat ${chatId} there`, requestedAt) ||
      !freshness.accept(`chat ${chatId} members`, requestedAt)
    )
      return
    show(chatId, found, requestedAt)
    const chat = chats.get(chatId)
    if (!chat) return
    if (freshness.accept(`chat ${chatId} count`, requestedAt)) chat.member_count = found.length
    const own = found.find(({ user }) => user.id === session.userId)
    if (own && freshness.accept(`chat ${chatId} own`, requestedAt)) chat.role = own.role
  }

  /** @param {number} chatId @param {any[]} found @param {number} requestedAt */
  function show(chatId, found, requestedAt) {
    for (const { user } of found) users.put(user, requestedAt)
    // The same objects as everywhere, so that a status changes here too.
    membersOf.set(
      chatId,
      found.map((member) => ({ ...member, user: users.known(member.user.id) ?? member.user })),
    )
  }

  /**
   * After a change of one's own: shows it at once, and asks for all members, some of whom others may have changed.
   *
   * @param {number} chatId
   * @param {(known: any[]) => any[]} change
   * @param {number} requestedAt
   */
  function changed(chatId, change, requestedAt) {
    const known = membersOf.get(chatId)
    freshness.changed(`chat ${chatId} members`)
    if (known) {
      show(chatId, change(known), requestedAt)
      const chat = chats.get(chatId)
      const difference = (membersOf.get(chatId)?.length ?? 0) - known.length
      // Where the event of the change was faster, the number is right already.
      if (chat && difference && freshness.accept(`chat ${chatId} count`, requestedAt))
        chat.member_count += difference
    }
    reloadMembers(chatId)
  }

  /** @param {any[]} list @param {number} userId */
  const without = (list, userId) => list.filter(({ user }) => user.id !== userId)

  /** @param {number} chatId @param {number} userId @throws {ApiError} */
  async function addMember(chatId, userId, role = 'member') {
    const requestedAt = freshness.start()
    const member = await api.post(`/chats/${chatId}/members`, { user_id: userId, role })
    changed(chatId, (known) => [...without(known, userId), member], requestedAt)
  }

  /**
   * @param {number} chatId
   * @param {number} userId
   * @param {string} role `owner`, `admin` or `member`
   * @throws {ApiError}
   */
  async function setRole(chatId, userId, role) {
    const requestedAt = freshness.start()
    const member = await api.patch(`/chats/${chatId}/members/${userId}`, { role })
    changed(chatId, (known) => [...without(known, userId), member], requestedAt)
  }

  /** Oneself: leaves. @param {number} chatId @param {number} userId @throws {ApiError} */
  async function removeMember(chatId, userId) {
    const requestedAt = freshness.start()
    await api.delete(`/chats/${chatId}/members/${userId}`)
    if (userId === session.userId) forgetChat(chatId)
    else changed(chatId, (known) => without(known, userId), requestedAt)
  }

  /** @param {number} chatId */
  function forget(chatId) {
    membersOf.delete(chatId)
  }

  return { membersOf, members, loadMembers, reloadMembers, forget, addMember, setRole, removeMember }
}
