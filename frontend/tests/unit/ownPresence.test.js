import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openApp, settled } from './app'
import { alice, fail, fakeRest } from './fakeRest'
import { FakeSocket } from './fakeSocket'

let app, own, page

/** Opens the app of a user, in a browser that has kept a choice of before. */
async function open(user, kept = 'online') {
  app = await openApp({ ...alice, ...user })
  localStorage.setItem('vestnik.preferences', JSON.stringify({ status: kept }))
  const { useOwnPresence, usePresenceOfBefore } = await import('@/composables/useOwnPresence')
  const { useUsers } = await import('@/stores/users') // it applies `user_changed`
  useUsers()
  page = mount({
    setup() {
      own = useOwnPresence()
      usePresenceOfBefore()
      return () => null
    },
  })
}

beforeEach(() => vi.spyOn(console, 'warn').mockReturnValue())

afterEach(() => {
  page.unmount()
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const seen = () => [own.presence.value, own.status.value]

test('is what the server has, and follows other devices', async () => {
  await open({ presence: 'busy' })
  fakeRest({})
  expect(seen()).toEqual(['busy', 'offline'])
  await app.connect()
  expect(seen()).toEqual(['busy', 'busy'])
  const user = { ...alice, presence: 'auto', is_admin: true }
  await app.deliver({ type: 'user_changed', user_id: alice.id, user })
  expect(seen()).toEqual(['auto', 'online'])
  const { useSession } = await import('@/stores/session')
  expect(useSession().me.is_admin).toBe(true)
})

test('is sent when it is chosen', async () => {
  await open({ presence: 'auto' })
  const rest = fakeRest({ 'PATCH /users/me': ({ body }) => ({ ...alice, ...body }) })
  await app.connect()
  own.presence.value = 'offline'
  await settled()
  expect(rest.of('PATCH /users/me').map(({ body }) => body)).toEqual([{ presence: 'offline' }])
  expect(seen()).toEqual(['offline', 'offline'])
})

test('no status is sent to the server, which knows what the user wants', async () => {
  await open({ presence: 'offline' })
  fakeRest({})
  await app.connect()
  expect(FakeSocket.last.sent.filter(({ type }) => type === 'status')).toEqual([])
})

test('a choice that this browser kept goes to the server, once', async () => {
  await open({ presence: 'auto' }, 'offline')
  const rest = fakeRest({ 'PATCH /users/me': () => fail(503, 'unavailable'), 'GET /users/me': alice })
  await app.connect()
  await settled()
  expect(own.presence.value).toBe('auto')
  rest.routes['PATCH /users/me'] = ({ body }) => ({ ...alice, ...body })
  app.websocket.disconnect()
  await app.connect()
  await settled()
  expect(own.presence.value).toBe('offline')
  expect(JSON.parse(localStorage.getItem('vestnik.preferences')).status).toBe('online')
})

test('a newer choice counts more than the one that this browser kept', async () => {
  await open({ presence: 'away' }, 'offline')
  const rest = fakeRest({})
  await app.connect()
  await settled()
  expect([own.presence.value, rest.calls]).toEqual(['away', []])
})
