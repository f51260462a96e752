/** packages/vestnik-client, the part that is not from this client. */

import { expect, test, vi } from 'vitest'
import { createApi } from '../../../packages/vestnik-client/src/rest'

function answering(status, body) {
  const fetch = vi.fn(async () => ({
    status,
    text: async () => (body === undefined ? '' : JSON.stringify(body)),
  }))
  vi.stubGlobal('fetch', fetch)
  return fetch
}

test('it asks the server with the token of the moment', async () => {
  const fetch = answering(200, { chats: [] })
  let number = 0
  const api = createApi({ server: 'https://chat.example.org/', token: async () => `T${++number}` })
  expect(await api.get('/chats', { limit: 5 })).toEqual({ chats: [] })
  await api.post('/messages', { chat_id: 1, content: 'x' })
  expect(fetch.mock.calls).toEqual([
    [
      'https://chat.example.org/api/chats?limit=5',
      { method: 'GET', headers: { Authorization: 'Bearer T1' }, body: undefined },
    ],
    [
      'https://chat.example.org/api/messages',
      {
        method: 'POST',
        headers: { Authorization: 'Bearer T2', 'Content-Type': 'application/json' },
        body: '{"chat_id":1,"content":"x"}',
      },
    ],
  ])
})

test('without options it asks its own origin, as a stranger', async () => {
  const fetch = answering(204)
  expect(await createApi().delete('/chats/1')).toBe(null)
  expect(fetch.mock.calls).toEqual([['/api/chats/1', { method: 'DELETE', headers: {}, body: undefined }]])
})

test('errors are those of the server', async () => {
  answering(404, { error: { code: 'not_found', message: 'no such chat' } })
  await expect(createApi().patch('/chats/1', {})).rejects.toMatchObject({
    code: 'not_found',
    status: 404,
    message: 'no such chat',
  })
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')))
  await expect(createApi().get('/chats')).rejects.toMatchObject({ code: 'network', retryable: true })
})
