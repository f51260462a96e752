/**
 * The REST calls of a user who is logged in. An expired token is replaced, and the call repeated.
 *
 *     const { messages } = await api.get('/chats/1/messages', { limit: 50 })
 */
import { ApiError, request } from './http'
import * as tokens from './tokens'

export { ApiError }

/** @typedef {import('./http').Query} Query */

/**
 * @param {string} method
 * @param {string} path
 * @param {{ query?: Query, body?: unknown }} options
 */
async function call(method, path, options) {
  const token = await tokens.access()
  try {
    return await request(method, path, { ...options, token })
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
    return request(method, path, { ...options, token: await tokens.access({ refused: token }) })
  }
}

const api = {
  /** @param {string} path @param {Query} [query] */
  get: (path, query) => call('GET', path, { query }),
  /** @param {string} path @param {unknown} [body] */
  post: (path, body) => call('POST', path, { body }),
  /** @param {string} path @param {unknown} [body] */
  put: (path, body) => call('PUT', path, { body }),
  /** @param {string} path @param {unknown} [body] */
  patch: (path, body) => call('PATCH', path, { body }),
  /** @param {string} path */
  delete: (path) => call('DELETE', path, {}),
}

export default api
