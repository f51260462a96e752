/**
 * The tokens of the session, kept in localStorage and so shared by all tabs of the browser.
 *
 * @typedef {object} Session
 * @property {string} access_token
 * @property {string} refresh_token
 * @property {number} expires_at when the access token ends, in ms since 1970
 * @property {any} user the session's own user, as last told
 */
import { ApiError, request } from './http'
import { load, save } from './storage'

const KEY = 'vestnik.session'
/** An access token that ends sooner is renewed before it is used. */
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

/** @param {Session | null} changed @param {boolean} isElsewhere another tab did it */
function set(changed, isElsewhere = false) {
  session = changed
  for (const watcher of watchers) watcher(session, isElsewhere)
}

/** @param {Session | null} changed */
function keep(changed) {
  save(KEY, changed)
  set(changed)
}

/** The session there is now. */
export function current() {
  return session
}

/**
 * Calls back when the session begins, changes or ends, whichever tab did it.
 *
 * @param {(session: Session | null, isElsewhere: boolean) => void} watcher
 */
export function onChange(watcher) {
  watchers.add(watcher)
}

/** @param {any} answer the server's, to a login or a refresh */
export function begin(answer) {
  const { access_token, refresh_token, expires_in, user } = answer
  keep({ access_token, refresh_token, expires_at: Date.now() + expires_in * 1000, user })
}

/** @param {any} user what the session's user is now */
export function keepUser(user) {
  if (session) keep({ ...session, user })
}

/** Forgets the session. */
export function end() {
  keep(null)
}

/**
 * An access token that should be good.
 *
 * @param {{ refused?: string | null, fresh?: boolean }} options `refused`: a token that the server did not take, so
 *   that another is needed; `fresh`: whichever there is will not do
 * @returns {Promise<string>}
 * @throws {ApiError} `unauthenticated` or `forbidden` when the session is over, and it is forgotten then; anything
 *   else if there is no telling
 */
export async function access({ refused = null, fresh = false } = {}) {
  if (!session) throw loggedOut()
  const { access_token, expires_at } = session
  if (!fresh && access_token !== refused && expires_at - Date.now() > MARGIN_MS) return access_token
  refreshing ??= exclusively(() => refresh(access_token)).finally(() => (refreshing = null))
  return refreshing
}

/**
 * Runs in one tab at a time. Pages without a secure context have no locks; there two tabs may refresh at once, which
 * the server allows for a short while.
 *
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
function exclusively(run) {
  return /** @type {any} */ (navigator.locks ? navigator.locks.request(`${KEY}.refresh`, run) : run())
}

/** @param {string} worn the access token to replace, unless another tab has done so meanwhile */
async function refresh(worn) {
  const latest = stored()
  if (latest?.access_token === worn) {
    const { refresh_token } = latest
    try {
      const answer = await request('POST', '/auth/refresh', { body: { refresh_token } })
      if (stored()) begin(answer) // else it was ended meanwhile, and stays so
    } catch (error) {
      const isOver = error instanceof ApiError && ['unauthenticated', 'forbidden'].includes(error.code)
      if (isOver && stored()?.refresh_token === refresh_token) end()
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
