import { answerOf, ApiError } from '@/services/http'

/**
 * Requests to the REST API of a server.
 *
 * @param {object} [options]
 * @param {string} [options.server] such as https://chat.example.org; the page's own origin by default
 * @param {() => string | null | Promise<string | null>} [options.token] is called for each request; null: without one
 */
export function createApi({ server = '', token = () => null } = {}) {
  /**
   * @param {string} method
   * @param {string} path below `/api`
   * @param {{ query?: Record<string, string | number>, body?: unknown }} [options]
   * @returns {Promise<any>} the parsed body, null if there is none
   * @throws {ApiError}
   */
  async function request(method, path, { query = {}, body } = {}) {
    const given = await token()
    const parameters = new URLSearchParams(
      Object.entries(query).map(([name, value]) => [name, String(value)]),
    )
    let answer, text
    try {
      answer = await fetch(
        `${server.replace(/\/+$/, '')}/api${path}${parameters.size ? `?${parameters}` : ''}`,
        {
          method,
          headers: {
            ...(given && { Authorization: `Bearer ${given}` }),
            ...(body !== undefined && { 'Content-Type': 'application/json' }),
          },
          body: body === undefined ? undefined : JSON.stringify(body),
        },
      )
      text = await answer.text()
    } catch (error) {
      throw new ApiError({
        status: 0,
        code: 'network',
        message: String(error),
      })
    }
    return answerOf(answer.status, text)
  }

  return {
    /** @param {string} path @param {Record<string, string | number>} [query] */
    get: (path, query) => request('GET', path, { query }),
    /** @param {string} path @param {unknown} [body] */
    post: (path, body) => request('POST', path, { body }),
    /** @param {string} path @param {unknown} [body] */
    patch: (path, body) => request('PATCH', path, { body }),
    /** @param {string} path */
    delete: (path) => request('DELETE', path),
  }
}
