import { createApi } from 'vestnik-client'

/** Logs in. Throws an `ApiError`. */
export async function logIn(username, password) {
  const api = createApi()
  let pair = await api.post('/auth/login', { username, password })
  let endsAt = Date.now() + pair.expires_in * 1000
  /** One refresh at a time: a second one with the same token would need another answer. */
  let refreshing = null

  async function refresh() {
    try {
      pair = await api.post('/auth/refresh', { refresh_token: pair.refresh_token })
      endsAt = Date.now() + pair.expires_in * 1000
    } finally {
      refreshing = null // after an error the next call tries again
    }
  }

  /** A token that works; with `fresh` a new one. */
  async function token({ fresh = false } = {}) {
    if (fresh || Date.now() > endsAt - 60_000) await (refreshing ??= refresh())
    return pair.access_token
  }

  return { userId: pair.user.id, token }
}
