import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openApp, settled } from './app'
import { bob, fail, fakeRest, later, logIn, otherTab, alice } from './fakeRest'

let app, blocks

beforeEach(async () => {
  app = await openApp()
  blocks = (await import('@/stores/blocks')).useBlocks()
})

afterEach(() => {
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const carol = { ...bob, id: 3, username: 'carol', display_name: 'Carol' }
const paged = (...users) => ({ users, next_cursor: null })
const names = () => blocks.list.map(({ username }) => username)

test('are loaded when somebody asks, over all pages, and once', async () => {
  const rest = fakeRest({
    'GET /users/me/blocks': ({ query }) =>
      query.cursor ? paged(carol) : { users: [bob], next_cursor: 'more' },
  })
  expect([blocks.isBlocked(2), blocks.isBlocked(3)]).toEqual([false, false])
  await settled()
  expect([blocks.isBlocked(2), blocks.isBlocked(3), blocks.isBlocked(4), blocks.isBlocked(null)]).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(rest.calls).toHaveLength(2)
})

test('begin and end', async () => {
  const rest = fakeRest({
    'GET /users/me/blocks': paged(bob),
    'PUT /users/3/block': null,
    'DELETE /users/2/block': null,
  })
  await blocks.load()
  rest.routes['GET /users/me/blocks'] = paged(bob, carol)
  await blocks.block(3) // not a known user: the list has them
  expect(names()).toEqual(['bob', 'carol'])
  await blocks.unblock(2)
  expect(names()).toEqual(['carol'])
})

test('an answer that was under way does not undo a block', async () => {
  const answer = later()
  const rest = fakeRest({ 'GET /users/me/blocks': () => answer.promise, 'PUT /users/2/block': null })
  const loading = blocks.load()
  await settled()
  rest.routes['GET /users/me/blocks'] = paged(bob)
  const blocking = blocks.block(2)
  await settled()
  answer.resolve(paged())
  await Promise.all([loading, blocking])
  expect(names()).toEqual(['bob'])
})

test('are loaded again with each connection, and belong to one user', async () => {
  const rest = fakeRest({
    'GET /users/me/blocks': () => fail(503, 'unavailable'),
    'GET /users/me': alice,
    'GET /chats': { chats: [], next_cursor: null },
  })
  expect(blocks.isBlocked(2)).toBe(false)
  await settled()
  rest.routes['GET /users/me/blocks'] = paged(bob)
  await app.connect()
  expect(blocks.isBlocked(2)).toBe(true)
  otherTab(() => logIn(5, { ...alice, id: 5 }))
  expect([names(), blocks.isLoaded]).toEqual([[], false])
})
