import { reactive } from 'vue'
import api from '@/services/api'
import { createOnce, createQueue } from '@/services/queue'

const AT_ONCE = 3

/**
 * The members of the chats whose members were asked for: a part of the chats' store.
 *
 * @param {object} house
 * @param {Map<number, any>} house.chats
 * @param {ReturnType<typeof import('./users').useUsers>} house.users
 * @param {ReturnType<typeof import('./session').useSession>} house.session
 */
export function createMembers({ chats, users, session }) {
  /** @type {Map<number, any[]>} */
  const membersOf = reactive(new Map())
  const once = createOnce()
  const enqueue = createQueue(AT_ONCE)

  /** The members of a chat; undefined until they are loaded, which this starts. @param {number} chatId */
  function members(chatId) {
    const known = membersOf.get(chatId)
    if (!known) loadMembers(chatId).catch(() => {}) // shown as unknown, and asked for when shown again
    return known
  }

  /** @param {number} chatId */
  function loadMembers(chatId) {
    return once(`${chatId}`, async () => {
      const answer = await enqueue(() => api.get(`/chats/${chatId}/members`))
      take(chatId, answer.members)
    })
  }

  /** After something has changed; nothing if nobody has asked for them. @param {number} chatId */
  function reloadMembers(chatId) {
    if (membersOf.has(chatId)) loadMembers(chatId).catch(() => {})
  }

  /** @param {number} chatId @param {any[]} found */
  function take(chatId, found) {
    for (const { user } of found) users.put(user)
    // The same objects as everywhere, so that a status changes here too.
    membersOf.set(
      chatId,
      found.map((member) => ({ ...member, user: users.get(member.user.id) ?? member.user })),
    )
    const own = found.find(({ user }) => user.id === session.userId)
    const chat = chats.get(chatId)
    if (chat) Object.assign(chat, { member_count: found.length }, own && { role: own.role })
  }

  /** @param {number} chatId @param {number} userId */
  const without = (chatId, userId) => (membersOf.get(chatId) ?? []).filter(({ user }) => user.id !== userId)

  /** @param {number} chatId @param {number} userId @throws {import('@/services/http').ApiError} */
  async function addMember(chatId, userId, role = 'member') {
    const member = await api.post(`/chats/${chatId}/members`, { user_id: userId, role })
    take(chatId, [...without(chatId, userId), member])
  }

  /**
   * @param {number} chatId
   * @param {number} userId
   * @param {string} role `owner`, `admin` or `member`
   * @throws {import('@/services/http').ApiError}
   */
  async function setRole(chatId, userId, role) {
    const member = await api.patch(`/chats/${chatId}/members/${userId}`, { role })
    take(chatId, [...without(chatId, userId), member])
  }

  /** Oneself: leaves. @param {number} chatId @param {number} userId @throws {import('@/services/http').ApiError} */
  async function removeMember(chatId, userId) {
    await api.delete(`/chats/${chatId}/members/${userId}`)
    if (userId !== session.userId) return take(chatId, without(chatId, userId))
    chats.delete(chatId)
    forget(chatId)
  }

  /** @param {number} chatId */
  function forget(chatId) {
    membersOf.delete(chatId)
  }

  return { membersOf, members, loadMembers, reloadMembers, forget, addMember, setRole, removeMember }
}
