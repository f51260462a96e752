import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { alice, bob, fail, fakeRest, later, logIn, otherTab } from './fakeRest'
import { openApp, settled } from './app'

/** @type {Awaited<ReturnType<typeof openApp>>} */
let app
/** @type {ReturnType<typeof import('@/stores/users').useUsers>} */
let users

beforeEach(async () => {
  app = await openApp()
  users = (await import('@/stores/users')).useUsers()
})

afterEach(() => {
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

test('a user is loaded at the first access, once', async () => {
  const rest = fakeRest({ 'GET /users/2': bob })
  expect([users.get(2), users.get(2), users.nameOf(2), users.statusOf(2)]).toEqual([
    undefined,
    undefined,
    '',
    'offline',
  ])
  await settled()
  expect(users.get(2)).toEqual(bob)
  expect(users.nameOf(2)).toBe('Bob')
  expect(rest.calls).toHaveLength(1)
})

test('the own user is known', () => {
  const rest = fakeRest({})
  expect(users.get(1)).toEqual(alice)
  expect(rest.calls).toEqual([])
})

test('many are loaded a few at a time', async () => {
  const answer = later()
  const ids = [2, 3, 4, 5, 6, 7]
  const rest = fakeRest(
    Object.fromEntries(
      ids.map((id) => [`GET /users/${id}`, async () => (await answer.promise, { ...bob, id })]),
    ),
  )
  ids.forEach(users.get)
  await settled()
  expect(rest.calls).toHaveLength(4)
  answer.resolve()
  await settled()
  expect(ids.map((id) => users.get(id)?.id)).toEqual(ids)
})

test('a deleted user has a name, and is not loaded again', async () => {
  const rest = fakeRest({ 'GET /users/9': fail(404, 'not_found') })
  users.get(9)
  await settled()
  expect([users.get(9), users.nameOf(9)]).toEqual([undefined, 'Deleted account'])
  await settled()
  expect(rest.calls).toHaveLength(1)
})

test('after a failure a user is loaded at the next access', async () => {
  const rest = fakeRest({ 'GET /users/2': () => fail(503, 'unavailable') })
  users.get(2)
  await settled()
  rest.routes['GET /users/2'] = bob
  users.get(2)
  await settled()
  expect(users.nameOf(2)).toBe('Bob')
})

test('a status changes by events', async () => {
  fakeRest({})
  await app.connect()
  users.put({ ...bob })
  await app.deliver({ type: 'user_status', user_id: 2, status: 'busy' })
  expect(users.statusOf(2)).toBe('busy')
  await app.deliver({ type: 'user_offline', user_id: 2, timestamp: '2025-11-23T10:00:00+00:00' })
  expect(users.get(2)).toMatchObject({ status: 'offline', last_seen_at: '2025-11-23T10:00:00+00:00' })
  await app.deliver({ type: 'user_status', user_id: 77, status: 'online' }) // not loaded yet
})

test('users that a search has found are known', async () => {
  const rest = fakeRest({ 'GET /users': { users: [bob], next_cursor: null } })
  expect(await users.search('bo')).toEqual([bob])
  expect(users.nameOf(2)).toBe('Bob')
  expect(rest.calls.map(({ query }) => query)).toEqual([{ q: 'bo', limit: '20' }])
})

test('another user begins without any', () => {
  fakeRest({ 'GET /users/2': bob })
  users.put({ ...bob, display_name: 'As Alice saw them' })
  otherTab(() => logIn(5, { ...alice, id: 5 }))
  expect(users.nameOf(2)).toBe('')
})

test('a changed name counts, also while the user is being loaded', async () => {
  const answer = later()
  fakeRest({ 'GET /users/2': () => answer.promise, 'GET /users/me': alice })
  await app.connect()
  users.get(2)
  await settled()
  await app.deliver({ type: 'user_changed', user_id: 2, user: { ...bob, display_name: 'Robert' } })
  answer.resolve(bob) // an answer of before
  await settled()
  expect(users.nameOf(2)).toBe('Robert')
  await app.deliver({
    type: 'user_changed',
    user_id: 2,
    user: { ...bob, display_name: 'Rob', status: 'busy' },
  })
  expect([users.nameOf(2), users.statusOf(2)]).toEqual(['Rob', 'offline'])
  await app.deliver({ type: 'user_changed', user_id: 1, user: { ...alice, display_name: 'Alisa' } })
  expect(users.nameOf(1)).toBe('Alisa')
})

test('an older answer does not undo a status', async () => {
  const answer = later()
  fakeRest({ 'GET /users/2': () => answer.promise })
  await app.connect()
  users.get(2)
  await settled()
  await app.deliver({ type: 'user_status', user_id: 2, status: 'busy' })
  answer.resolve(bob)
  await settled()
  expect(users.statusOf(2)).toBe('busy')
})

test('after a lost connection the shown users are loaded again', async () => {
  const rest = fakeRest({ 'GET /users/2': bob, 'GET /users/me': { ...alice, display_name: 'Alisa' } })
  await app.connect()
  users.get(2)
  await settled()
  rest.routes['GET /users/2'] = { ...bob, display_name: 'Robert' }
  app.websocket.disconnect()
  await app.connect()
  expect(users.nameOf(2)).toBe('Bob') // until the answer comes
  await settled()
  expect([users.nameOf(2), users.nameOf(1)]).toEqual(['Robert', 'Alisa'])
  users.get(2)
  await settled()
  expect(rest.of('GET /users/2')).toHaveLength(2)
})

test('an offline event for an unknown user sets no time', async () => {
  const answer = later()
  fakeRest({
    'GET /users/2': async () => (await answer.promise, { ...bob, status: 'offline', last_seen_at: null }),
  })
  await app.connect()
  users.get(2)
  await app.deliver({ type: 'user_offline', user_id: 2, timestamp: '2025-11-23T10:00:00+00:00' })
  answer.resolve()
  await settled()
  expect(users.get(2)).toMatchObject({ status: 'offline', last_seen_at: null })
})
