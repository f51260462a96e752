import pLimit from 'p-limit'
import { defineStore } from 'pinia'
import { reactive, ref, watch } from 'vue'
import { onEvent } from '@/composables/onEvent'
import { i18n } from '@/i18n'
import api, { ApiError } from '@/services/api'
import { freshness } from '@/services/freshness'
import { personName } from '@/text/bidi'
import { useSession } from './session'

/** @typedef {import('@/types').User} User */

const AT_ONCE = 4
/** The fields that events of presence change. Events of the profile change the others. */
const PRESENCE = ['status', 'last_seen_at']

/** @param {Partial<User>} user @returns {Partial<User>} */
const presenceOf = (user) =>
  Object.fromEntries(Object.entries(user).filter(([field]) => PRESENCE.includes(field)))
/** @param {Partial<User>} user @returns {Partial<User>} */
const profileOf = (user) =>
  Object.fromEntries(Object.entries(user).filter(([field]) => !PRESENCE.includes(field)))

/** The users that the client has met, by id. */
export const useUsers = defineStore('users', () => {
  const session = useSession()
  /** null: there is no such user. @type {Map<number, User | null>} */
  const users = reactive(new Map())
  /** The ids of the users that are being loaded. @type {Set<number>} */
  const pending = new Set()
  /** What events said of users that are not loaded yet: an answer that is under way may be older. @type {Map<number, Partial<User>>} */
  const early = new Map()
  const enqueue = pLimit(AT_ONCE)
  /** Rises with each connection: changes of known users may have been missed before it. */
  const connections = ref(0)
  /** When the present connection began, 0 before the first one. Users known since then are up to date. */
  let connectedAt = 0

  watch(
    () => session.life,
    () => {
      users.clear()
      early.clear()
      freshness.reset()
    },
    { flush: 'sync' },
  )
  onEvent('connected', () => {
    if (connections.value || session.restores) {
      connectedAt = freshness.start()
      session.check()
    }
    connections.value++
  })
  onEvent('user_changed', ({ user_id, user }) => {
    if (user_id === session.userId) return session.keepMe(user)
    freshness.changed(`user ${user_id} profile`)
    assign(user_id, profileOf(user))
  })
  onEvent('user_status', ({ user_id, status }) => setPresence(user_id, { status }))
  onEvent('user_offline', ({ user_id, timestamp }) => {
    // After a join, this event comes for every member who is not online. The time counts only for a user who was.
    const before = (users.get(user_id) ?? early.get(user_id))?.status
    const hasLeft = before !== undefined && before !== 'offline'
    setPresence(user_id, { status: 'offline', ...(hasLeft && { last_seen_at: timestamp }) })
  })

  /** @param {number} userId @param {Partial<User>} presence */
  function setPresence(userId, presence) {
    freshness.changed(`user ${userId} presence`)
    assign(userId, presence)
  }

  /** @param {number} userId @param {Partial<User>} changes */
  function assign(userId, changes) {
    const user = users.get(userId)
    if (user) Object.assign(user, changes)
    else early.set(userId, { ...early.get(userId), ...changes })
  }

  /**
   * A user; undefined if there is none, and until the user is loaded, which this starts.
   *
   * @param {number} userId
   */
  function get(userId) {
    if (userId === session.userId) return session.me ?? undefined
    void connections.value // a dependency: what is shown is loaded again after a new connection
    const user = users.get(userId)
    if (!isUpToDate(userId) && !pending.has(userId)) {
      pending.add(userId)
      enqueue(() => load(userId)).finally(() => pending.delete(userId))
    }
    return user ?? undefined
  }

  /** @param {number} userId */
  function isUpToDate(userId) {
    return users.has(userId) && freshness.isKnownSince(`user ${userId} profile`, connectedAt)
  }

  /** A user as far as the client knows; nothing is loaded. @param {number} userId */
  function known(userId) {
    return (userId === session.userId ? session.me : users.get(userId)) ?? undefined
  }

  /** @param {number} userId */
  async function load(userId) {
    if (isUpToDate(userId)) return // another answer had the user
    const requestedAt = freshness.start()
    try {
      put(await api.get(`/users/${userId}`), requestedAt)
    } catch (error) {
      const isGone = error instanceof ApiError && error.code === 'not_found'
      if (isGone && freshness.accept(`user ${userId} profile`, requestedAt)) users.set(userId, null)
    }
  }

  /**
   * Applies an answer about a user, as far as nothing newer is known.
   *
   * @param {User} user
   * @param {number} requestedAt left out: the answer is as of now
   */
  function put(user, requestedAt = freshness.start()) {
    const old = users.get(user.id)
    const isProfileNew = freshness.accept(`user ${user.id} profile`, requestedAt)
    const isPresenceNew = freshness.accept(`user ${user.id} presence`, requestedAt)
    if (old) {
      if (isProfileNew) Object.assign(old, profileOf(user))
      if (isPresenceNew) Object.assign(old, presenceOf(user))
    } else if (old === undefined || isProfileNew) {
      const fromEvents = early.get(user.id) ?? {}
      const newer = {
        ...(!isProfileNew && profileOf(fromEvents)),
        ...(!isPresenceNew && presenceOf(fromEvents)),
      }
      users.set(user.id, { ...user, ...newer })
      early.delete(user.id)
    }
  }

  /** The name to show; empty until it is known. @param {number} userId */
  function nameOf(userId) {
    const user = get(userId)
    if (user) return personName(user)
    return users.get(userId) === null ? i18n.global.t('users.gone') : ''
  }

  /** `online`, `busy`, `away` or `offline`. @param {number} userId */
  function statusOf(userId) {
    const user = get(userId)
    return user && user.active !== false ? user.status : 'offline'
  }

  /**
   * Users whose usernames or display names begin with a text.
   *
   * @param {string} q
   * @returns {Promise<User[]>}
   */
  async function search(q, limit = 20) {
    const requestedAt = freshness.start()
    const { users: found } = await api.get('/users', { q, limit })
    for (const user of found) put(user, requestedAt)
    return found
  }

  return { get, known, put, nameOf, statusOf, search }
})
