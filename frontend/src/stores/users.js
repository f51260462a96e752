import { defineStore } from 'pinia'
import { reactive, watch } from 'vue'
import { i18n } from '@/i18n'
import { personName } from '@/i18n/bidi'
import api, { ApiError } from '@/services/api'
import { createQueue } from '@/services/queue'
import websocket from '@/services/websocket'
import { useSession } from './session'

const AT_ONCE = 4

/** The users that were seen, by id. */
export const useUsers = defineStore('users', () => {
  const session = useSession()
  /** @type {Map<number, any>} null: there is no such user any more */
  const users = reactive(new Map())
  /** @type {Set<number>} those that are asked for */
  const wanted = new Set()
  const enqueue = createQueue(AT_ONCE)

  watch(
    () => session.userId,
    () => users.clear(),
    { flush: 'sync' },
  )
  websocket.on('user_status', ({ user_id, status }) => setStatus(user_id, { status }))
  websocket.on('user_offline', ({ user_id, timestamp }) => {
    // A room that is joined tells it of everybody who is not there; since when, it tells only of who just went.
    const hasGone = users.get(user_id)?.status !== 'offline'
    setStatus(user_id, { status: 'offline', ...(hasGone && { last_seen_at: timestamp }) })
  })

  /** @param {number} userId @param {object} status */
  function setStatus(userId, status) {
    const user = users.get(userId)
    if (user) Object.assign(user, status)
  }

  /**
   * A user; undefined until it is loaded, which this starts, and if there is none.
   *
   * @param {number} userId
   */
  function get(userId) {
    if (userId === session.userId) return session.me
    const user = users.get(userId)
    if (user === undefined && !wanted.has(userId)) {
      wanted.add(userId)
      enqueue(() => load(userId)).finally(() => wanted.delete(userId))
    }
    return user ?? undefined
  }

  /** @param {number} userId */
  async function load(userId) {
    if (users.has(userId)) return // came with something else meanwhile
    try {
      put(await api.get(`/users/${userId}`))
    } catch (error) {
      if (error instanceof ApiError && error.code === 'not_found') users.set(userId, null)
    }
  }

  /** Takes in a user the server has told of. @param {any} user */
  function put(user) {
    const known = users.get(user.id)
    if (known) Object.assign(known, user)
    else users.set(user.id, user)
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
    const { users: found } = await api.get('/users', { q, limit })
    found.forEach(put)
    return found
  }

  return { get, put, nameOf, statusOf, search }
})
