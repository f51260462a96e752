import pLimit from 'p-limit'
import { defineStore } from 'pinia'
import { reactive, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import { personName } from '@/text/bidi'
import api, { ApiError } from '@/services/api'
import { freshness } from '@/services/freshness'
import websocket from '@/services/websocket'
import { useSession } from './session'

const AT_ONCE = 4
/** What changes with each coming and going, told apart from the rest. */
const PRESENCE = ['status', 'last_seen_at']

/** The users that were seen, by id. */
export const useUsers = defineStore('users', () => {
  const session = useSession()
  /** @type {Map<number, any>} null: there is no such user any more */
  const users = reactive(new Map())
  /** @type {Set<number>} those that are asked for */
  const wanted = new Set()
  /** What was told of users who are not among those yet: an answer that is under way may be older. @type {Map<number, object>} */
  const heard = new Map()
  const enqueue = pLimit(AT_ONCE)
  /** Rises with each connection: a change of what was known before it may have been missed. */
  const connections = ref(0)
  /** When the present connection began; nobody was heard before the first one. */
  let heardSince = 0

  watch(
    () => session.userId,
    () => {
      users.clear()
      heard.clear()
      freshness.reset()
    },
    { flush: 'sync' },
  )
  websocket.on('connected', () => {
    if (connections.value) {
      heardSince = freshness.start()
      session.check()
    }
    connections.value++
  })
  websocket.on('user_changed', ({ user_id, user }) => {
    if (user_id === session.userId) return session.keepMe(user)
    freshness.changed(`user ${user_id} profile`)
    assign(user_id, withoutPresence(user))
  })
  websocket.on('user_status', ({ user_id, status }) => setStatus(user_id, { status }))
  websocket.on('user_offline', ({ user_id, timestamp }) => {
    // A room that is joined tells it of everybody who is not there; since when, it tells only of who just went.
    const before = (users.get(user_id) ?? heard.get(user_id))?.status
    const hasGone = before !== undefined && before !== 'offline'
    setStatus(user_id, { status: 'offline', ...(hasGone && { last_seen_at: timestamp }) })
  })

  /** @param {number} userId @param {object} status */
  function setStatus(userId, status) {
    freshness.changed(`user ${userId} presence`)
    assign(userId, status)
  }

  /** Into what is known of a user, or will be. @param {number} userId @param {object} changes */
  function assign(userId, changes) {
    const user = users.get(userId)
    if (user) Object.assign(user, changes)
    else heard.set(userId, { ...heard.get(userId), ...changes })
  }

  /** @param {any} user */
  const presenceOf = (user) =>
    Object.fromEntries(Object.entries(user).filter(([field]) => PRESENCE.includes(field)))
  /** @param {any} user */
  const withoutPresence = (user) =>
    Object.fromEntries(Object.entries(user).filter(([field]) => !PRESENCE.includes(field)))

  /**
   * A user; undefined until it is loaded, which this starts, and if there is none.
   *
   * @param {number} userId
   */
  function get(userId) {
    if (userId === session.userId) return session.me
    void connections.value // what is looked at then is asked for again
    const user = users.get(userId)
    const isSure = user !== undefined && freshness.isKnownSince(`user ${userId} profile`, heardSince)
    if (!isSure && !wanted.has(userId)) {
      wanted.add(userId)
      enqueue(() => load(userId)).finally(() => wanted.delete(userId))
    }
    return user ?? undefined
  }

  /** A user as far as is known; nobody is requestedAt. @param {number} userId */
  function known(userId) {
    return userId === session.userId ? session.me : (users.get(userId) ?? undefined)
  }

  /** @param {number} userId */
  async function load(userId) {
    // Came with something else meanwhile.
    if (users.has(userId) && freshness.isKnownSince(`user ${userId} profile`, heardSince)) return
    const requestedAt = freshness.start()
    try {
      put(await api.get(`/users/${userId}`), requestedAt)
    } catch (error) {
      const isGone = error instanceof ApiError && error.code === 'not_found'
      if (isGone && freshness.accept(`user ${userId} profile`, requestedAt)) users.set(userId, null)
    }
  }

  /**
   * Takes in a user the server has told of, as far as nothing newer is known.
   *
   * @param {any} user
   * @param {number} requestedAt the moment of the question; left out: the answer is as of now
   */
  function put(user, requestedAt = freshness.start()) {
    const old = users.get(user.id)
    const isProfileNew = freshness.accept(`user ${user.id} profile`, requestedAt)
    const isPresenceNew = freshness.accept(`user ${user.id} presence`, requestedAt)
    if (old) {
      if (isProfileNew) Object.assign(old, withoutPresence(user))
      if (isPresenceNew) Object.assign(old, presenceOf(user))
    } else if (old === undefined || isProfileNew) {
      const told = /** @type {any} */ (heard.get(user.id) ?? {})
      const newer = { ...(!isProfileNew && withoutPresence(told)), ...(!isPresenceNew && presenceOf(told)) }
      users.set(user.id, { ...user, ...newer })
      heard.delete(user.id)
    }
  }

  /** A name to show; empty until it is known. @param {number} userId */
  function nameOf(userId) {
    const user = get(userId)
    if (user) return personName(user)
    return users.get(userId) === null ? i18n.global.t('users.gone') : ''
  }

  /** `online`, `busy`, `away` or `offline`. @param {number} userId */
  function statusOf(userId) {
    return get(userId)?.status ?? 'offline'
  }

  /**
   * Users whose names begin so.
   *
   * @param {string} q
   * @returns {Promise<any[]>}
   */
  async function search(q, limit = 20) {
    const requestedAt = freshness.start()
    const { users: found } = await api.get('/users', { q, limit })
    for (const user of found) put(user, requestedAt)
    return found
  }

  return { get, known, put, nameOf, statusOf, search }
})
