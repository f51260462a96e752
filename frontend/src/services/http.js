/** Requests to the REST API and their errors. */

const TIMEOUT_MS = 20_000

/** Where the server is: `VITE_WS_URL`, as for the WebSocket, else the page's own origin. */
const ORIGIN = (import.meta.env?.VITE_WS_URL ?? '').replace(/^ws/, 'http').replace(/\/+$/, '')
export const BASE_URL = ORIGIN + '/api'

/** The address of a path of the server, such as that of a picture. @param {string} path */
export const addressOf = (path) => ORIGIN + path

/**
 * A failed request. `code` is the server's, or `network` with the `status` 0 if there was no answer. `fields` says what is
 * wrong with each field. `retryable`: the same request may succeed later. `isByProxy`: a proxy has refused it, not the server.
 */
export class ApiError extends Error {
  /** @param {{ status: number, code: string, message?: string, fields?: Record<string, string>, retry_after_ms?: number, isByProxy?: boolean }} error */
  constructor({ status, code, message = code, fields = {}, retry_after_ms, isByProxy = false }) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.fields = fields
    this.retryAfterMs = retry_after_ms
    this.isByProxy = isByProxy
    this.retryable = ['network', 'rate_limited', 'unavailable'].includes(code)
  }
}

/**
 * @typedef {Record<string, string | number | null | undefined>} Query null and undefined values are left out
 *
 * @param {string} method
 * @param {string} path below `/api`
 * @param {{ query?: Query, body?: unknown, token?: string | null }} options a Blob is sent as it is, other bodies as JSON
 * @returns {Promise<any>} the parsed body, null if there is none
 * @throws {ApiError}
 */
export async function request(method, path, { query = {}, body, token } = {}) {
  /** @type {Record<string, string>} */
  const headers = {}
  if (token) headers.Authorization = `Bearer ${token}`
  if (body !== undefined) headers['Content-Type'] = body instanceof Blob ? body.type : 'application/json'
  let response, text
  try {
    response = await fetch(BASE_URL + path + queryString(query), {
      method,
      headers,
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    text = await response.text()
  } catch (error) {
    throw new ApiError({ status: 0, code: 'network', message: String(error) })
  }
  return answerOf(response.status, text)
}

/** The parsed body of an answer. @param {number} status @param {string} text @throws {ApiError} */
export function answerOf(status, text) {
  const answer = parsed(text)
  if (status >= 200 && status < 300 && answer !== undefined) return answer
  // An answer without the server's error object comes from a proxy.
  const isByProxy = !answer?.error
  const code = status === 413 ? 'too_large' : 'unavailable'
  throw new ApiError({ code, ...answer?.error, status, isByProxy })
}

/** @param {Query} query */
function queryString(query) {
  const given = Object.entries(query).filter(([, value]) => value != null)
  if (!given.length) return ''
  return '?' + new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
}

/** @param {string} text undefined if it is not JSON */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : null
  } catch {
    return undefined
  }
}
