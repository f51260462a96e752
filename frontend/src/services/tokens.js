/**
 * The tokens of the session, in localStorage and so shared by all tabs of the browser.
 *
 * @typedef {object} Session
 * @property {string} access_token
 * @property {string} refresh_token
 * @property {number} expires_at when the access token ends, in ms since 1970
 * @property {import('@/types').User} user the session's user, as the server sent it last
 */
import { ApiError, request } from './http'
import { load, save } from './storage'

const KEY = 'vestnik.session'
/** An access token that ends sooner than this is replaced before it is used. */
const MARGIN_MS = 30_000

/** @type {Session | null} */
let session = stored()
/** @type {Set<(session: Session | null, isElsewhere: boolean) => void>} */
const watchers = new Set()
/** @type {Promise<string> | null} */
let refreshing = null

window.addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) set(stored(), true)
})

/** @returns {Session | null} */
function stored() {
  const found = load(KEY)
  return found?.access_token && found.refresh_token && found.user ? found : null
}

/** @param {Session | null} changed @param {boolean} isElsewhere whether another tab changed it */
function set(changed, isElsewhere = false) {
  session = changed
  for (const watcher of watchers) watcher(session, isElsewhere)
}

/** @param {Session | null} changed */
function keep(changed) {
  save(KEY, changed)
  set(changed)
}

/** The present session. */
export function current() {
  return session
}

/**
 * Calls back when the session begins, changes or ends, in this tab or another.
 *
 * @param {(session: Session | null, isElsewhere: boolean) => void} watcher
 */
export function onChange(watcher) {
  watchers.add(watcher)
}

/** @param {import('@/types').TokenPair} pair the answer to a login or a refresh */
export function begin({ access_token, refresh_token, expires_in, user }) {
  keep({ access_token, refresh_token, expires_at: Date.now() + expires_in * 1000, user })
}

/** @param {import('@/types').User} user the present state of the session's user */
export function keepUser(user) {
  if (session) keep({ ...session, user })
}

/** Forgets the session. */
export function end() {
  keep(null)
}

/**
 * A valid access token, as far as the client can tell.
 *
 * @param {{ refused?: string | null, fresh?: boolean }} options `refused`: a token that the server has refused;
 *   `fresh`: the present token will not do, whatever it is
 * @returns {Promise<string>}
 * @throws {ApiError} `unauthenticated` or `forbidden` when the session has ended, which also ends it here; any
 *   other code if the server gave no answer to that
 */
export async function access({ refused = null, fresh = false } = {}) {
  if (!session) throw loggedOut()
  const { access_token, expires_at } = session
  if (!fresh && access_token !== refused && expires_at - Date.now() > MARGIN_MS) return access_token
  refreshing ??= exclusively(() => refresh(access_token)).finally(() => (refreshing = null))
  return refreshing
}

/**
 * Runs in one tab at a time. Pages without a secure context have no locks: two tabs may refresh at once there, which the
 * server allows within 30 s.
 *
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
function exclusively(run) {
  return /** @type {any} */ (navigator.locks ? navigator.locks.request(`${KEY}.refresh`, run) : run())
}

/** @param {string} old the access token to replace, unless another tab has replaced it */
async function refresh(old) {
  const latest = stored()
  if (latest?.access_token === old) {
    const { refresh_token } = latest
    try {
      const answer = await request('POST', '/auth/refresh', { body: { refresh_token } })
      if (stored()) begin(answer) // else the session was ended meanwhile
    } catch (error) {
      const hasEnded = error instanceof ApiError && ['unauthenticated', 'forbidden'].includes(error.code)
      if (hasEnded && stored()?.refresh_token === refresh_token) end()
      throw error
    }
  }
  set(stored())
  if (!session) throw loggedOut()
  return session.access_token
}

function loggedOut() {
  return new ApiError({ status: 401, code: 'unauthenticated', message: 'logged out' })
}
