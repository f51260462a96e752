import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import api, { ApiError } from '@/services/api'
import * as tokens from '@/services/tokens'
import { fail, fakeRest, logIn, otherTab, pair } from './fakeRest'

beforeEach(() => otherTab(() => logIn(1)))
afterEach(() => vi.unstubAllGlobals())

test('a call sends the token, the query and the body, and returns the answer', async () => {
  const rest = fakeRest({
    'GET /chats': { chats: [] },
    'POST /messages': { id: 1 },
    'DELETE /messages/1': null,
  })
  expect(await api.get('/chats', { limit: 50, cursor: null, q: 'ё&' })).toEqual({ chats: [] })
  expect(await api.post('/messages', { chat_id: 1 })).toEqual({ id: 1 })
  expect(await api.delete('/messages/1')).toBeNull()
  expect(rest.calls).toEqual([
    { call: 'GET /chats', query: { limit: '50', q: 'ё&' }, body: undefined, token: 'access 1' },
    { call: 'POST /messages', query: {}, body: { chat_id: 1 }, token: 'access 1' },
    { call: 'DELETE /messages/1', query: {}, body: undefined, token: 'access 1' },
  ])
})

test('an expired token is replaced without an error', async () => {
  const rest = fakeRest({
    'GET /chats': ({ token }) => (token === 'access 2' ? { chats: [] } : fail(401, 'unauthenticated')),
    'POST /auth/refresh': pair(2),
  })
  expect(await Promise.all([api.get('/chats'), api.get('/chats')])).toEqual([{ chats: [] }, { chats: [] }])
  expect(rest.of('POST /auth/refresh')).toHaveLength(1)
})

test('a call is repeated only once', async () => {
  const rest = fakeRest({ 'GET /chats': () => fail(401, 'unauthenticated'), 'POST /auth/refresh': pair(2) })
  await expect(api.get('/chats')).rejects.toMatchObject({ status: 401 })
  expect(rest.of('GET /chats')).toHaveLength(2)
  expect(tokens.current()).not.toBeNull() // the session is valid; only the call is refused
})

test.each([
  [
    422,
    'invalid',
    { fields: { name: 'is required' } },
    { fields: { name: 'is required' }, retryable: false },
  ],
  [429, 'rate_limited', { retry_after_ms: 1500 }, { retryAfterMs: 1500, retryable: true }],
  [503, 'unavailable', {}, { fields: {}, retryable: true }],
  [404, 'not_found', {}, { retryable: false }],
])('a refusal is an ApiError: %i %s', async (status, code, more, expected) => {
  fakeRest({ 'PATCH /chats/1': fail(status, code, more) })
  const error = await api.patch('/chats/1', {}).catch((caught) => caught)
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ status, code, message: code, ...expected })
})

test.each([
  ['no answer', () => Promise.reject(new TypeError('Failed to fetch')), 0, 'network'],
  ["a proxy's page", () => new Response('<html>Bad gateway</html>', { status: 502 }), 502, 'unavailable'],
  [
    "somebody else's page",
    () => new Response('<html>Log in to the WiFi</html>', { status: 200 }),
    200,
    'unavailable',
  ],
])('%s is an ApiError that may pass', async (_what, answer, status, code) => {
  fakeRest({ 'GET /chats': answer })
  await expect(api.get('/chats')).rejects.toMatchObject({ status, code, retryable: true })
})
