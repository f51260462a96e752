import { vi } from 'vitest'

/**
 * A REST API with the answers of a test: `routes['GET /chats']` is an answer, or a function of `{ query, body, token }` that
 * returns one. `fail(status, error)` is an error of the server; a thrown error is a broken network.
 */
export function fakeRest(routes) {
  /** @type {{ call: string, query: Record<string, string>, body: any, token: string | null }[]} */
  const calls = []
  const fetch = vi.fn(async (address, { method, body, headers }) => {
    const url = new URL(address, 'http://server')
    const call = `${method} ${url.pathname.replace(/^\/api/, '')}`
    const request = {
      call,
      query: Object.fromEntries(url.searchParams),
      body: body && JSON.parse(body),
      token: headers.Authorization?.replace('Bearer ', '') ?? null,
    }
    calls.push(request)
    if (!(call in routes)) throw new Error(`no route ${call}`)
    const route = routes[call]
    const answer = await (typeof route === 'function' ? route(request) : route)
    return answer instanceof Response ? answer : json(200, answer)
  })
  vi.stubGlobal('fetch', fetch)
  return { calls, of: (/** @type {string} */ call) => calls.filter((made) => made.call === call), routes }
}

function json(status, body) {
  return new Response(body == null ? null : JSON.stringify(body), { status: body == null ? 204 : status })
}

export function fail(status, code, more = {}) {
  return json(status, { error: { code, message: code, ...more } })
}

/** A promise that the test resolves later. */
export function later() {
  let resolve
  const promise = new Promise((done) => (resolve = done))
  return { promise, resolve }
}

export const alice = { id: 1, username: 'alice', display_name: 'Alice', status: 'online', email: null }
export const bob = { id: 2, username: 'bob', display_name: 'Bob', status: 'offline', last_seen_at: null }

/** The answer to a login or a refresh: the n-th pair of tokens. */
export function pair(n, user = alice, expires_in = 3600) {
  return { access_token: `access ${n}`, refresh_token: `refresh ${n}`, expires_in, user }
}

export function logIn(n = 1, user = alice, expiresInS = 3600) {
  const { access_token, refresh_token } = pair(n, user)
  const session = { access_token, refresh_token, expires_at: Date.now() + expiresInS * 1000, user }
  localStorage.setItem('vestnik.session', JSON.stringify(session))
}

/** Changes the session as another tab does. */
export function otherTab(change) {
  change()
  window.dispatchEvent(new StorageEvent('storage', { key: 'vestnik.session' }))
}
