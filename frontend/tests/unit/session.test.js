import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as tokens from '@/services/tokens'
import { useSession } from '@/stores/session'
import { settled } from './app'
import { alice, bob, fail, fakeRest, logIn, otherTab, pair } from './fakeRest'

/** @type {ReturnType<typeof useSession>} */
let session

beforeEach(() => {
  otherTab(() => localStorage.clear())
  setActivePinia(createPinia())
  session = useSession()
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

test('a login sets the user', async () => {
  const rest = fakeRest({ 'POST /auth/login': pair(1) })
  await session.login({ username: 'alice', password: 'secret' })
  expect(rest.calls[0].body).toEqual({ username: 'alice', password: 'secret' })
  expect([session.isLoggedIn, session.userId, session.me]).toEqual([true, 1, alice])
})

test('a login that fails changes nothing', async () => {
  fakeRest({ 'POST /auth/login': fail(401, 'unauthenticated') })
  await expect(session.login({ username: 'alice', password: '?' })).rejects.toMatchObject({ status: 401 })
  expect(session.isLoggedIn).toBe(false)
})

test('a registration logs in', async () => {
  const rest = fakeRest({ 'POST /auth/register': alice, 'POST /auth/login': pair(1) })
  await session.register({ username: 'alice', password: 'secret', display_name: 'Alice' })
  expect(rest.calls.map(({ call }) => call)).toEqual(['POST /auth/register', 'POST /auth/login'])
  expect(session.userId).toBe(1)
})

test('a registration by an invite begins in its chat, any other at home', async () => {
  const rest = fakeRest({ 'POST /auth/register': { ...alice, chat_id: 7 }, 'POST /auth/login': pair(1) })
  await session.register({ username: 'alice', password: 'secret', invite: 'CODE' })
  expect(rest.calls[0].body).toEqual({ username: 'alice', password: 'secret', invite: 'CODE' })
  expect([session.takeLanding('/wanted'), session.takeLanding('/wanted')]).toEqual(['/chats/7', '/wanted'])
  rest.routes['POST /auth/register'] = alice
  await session.register({ username: 'alice', password: 'secret', setup_code: 'CODE' })
  expect([session.takeLanding('/wanted'), session.takeLanding()]).toEqual(['/', '/'])
})

test('a user who deletes their account is told so, though the server ends the session first', async () => {
  otherTab(() => logIn(1))
  const rest = fakeRest({
    'GET /users/me': () => fail(403, 'forbidden'),
    'POST /users/me/delete': () => session.revoked().then(() => null),
  })
  await session.deleteMe('secret')
  expect([session.isLoggedIn, session.ending]).toEqual([false, 'deleted'])
  expect(rest.calls.map(({ call, body }) => [call, body])).toEqual([
    ['POST /users/me/delete', { password: 'secret' }],
  ])
})

test('a wrong password deletes nothing', async () => {
  otherTab(() => logIn(1))
  fakeRest({ 'POST /users/me/delete': () => fail(403, 'forbidden') })
  await expect(session.deleteMe('?')).rejects.toMatchObject({ code: 'forbidden' })
  expect(session.isLoggedIn).toBe(true)
})

test('a logout counts even if the server is not reached', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  otherTab(() => logIn(1))
  const rest = fakeRest({ 'POST /auth/logout': () => Promise.reject(new TypeError('down')) })
  const done = session.logout()
  expect([session.isLoggedIn, session.ending]).toEqual([false, 'left'])
  await done
  expect(rest.calls[0].token).toBe('access 1')
})

test('a login or logout in another tab counts', () => {
  otherTab(() => logIn(1, bob))
  expect(session.me).toEqual(bob)
  otherTab(() => localStorage.clear())
  expect([session.isLoggedIn, session.ending]).toEqual([false, 'ended'])
  otherTab(() => logIn(1, bob))
  expect(session.ending).toBeNull()
})

test('the connection gets the old token while the server cannot be reached', async () => {
  otherTab(() => logIn(1))
  fakeRest({ 'POST /auth/refresh': () => fail(503, 'unavailable') })
  expect(await session.token({ fresh: true })).toBe('access 1')
})

test('the connection gets no token once the session is over', async () => {
  otherTab(() => logIn(1))
  fakeRest({ 'POST /auth/refresh': () => fail(401, 'unauthenticated') })
  await expect(session.token({ fresh: true })).rejects.toMatchObject({ status: 401 })
  expect(session.isLoggedIn).toBe(false)
})

test('a revoked session ends', async () => {
  otherTab(() => logIn(1))
  const over = () => fail(401, 'unauthenticated')
  fakeRest({ 'GET /users/me': over, 'POST /auth/refresh': over })
  await session.check()
  expect(session.isLoggedIn).toBe(false)
})

test('a server that is down does not end the session', async () => {
  otherTab(() => logIn(1))
  fakeRest({ 'GET /users/me': () => fail(503, 'unavailable') })
  await session.check()
  expect(session.isLoggedIn).toBe(true)
})

test('changes of the own user are stored', async () => {
  otherTab(() => logIn(1))
  fakeRest({ 'PATCH /users/me': ({ body }) => ({ ...alice, ...body }) })
  await session.updateMe({ display_name: 'Alisa' })
  expect(session.me.display_name).toBe('Alisa')
  expect(tokens.current().user.display_name).toBe('Alisa')
})

const texts = () => Object.keys(localStorage).filter((key) => /:(draft|outbox):/.test(key))

function write(...owners) {
  for (const owner of owners) {
    localStorage.setItem(`vestnik:draft:${owner}:7`, '{"text":"secret","replyTo":null}')
    localStorage.setItem(`vestnik:outbox:${owner}:abc`, '{}')
  }
}

test('a logout removes the unsent texts of this user only', async () => {
  otherTab(() => logIn(1))
  write(1, 2)
  fakeRest({ 'POST /auth/logout': null })
  await session.logout()
  expect(texts()).toEqual(['vestnik:draft:2:7', 'vestnik:outbox:2:abc'])
})

test('an expired session leaves unsent texts for the same user only', async () => {
  otherTab(() => logIn(1))
  write(1)
  const over = () => fail(401, 'unauthenticated')
  const rest = fakeRest({ 'GET /users/me': over, 'POST /auth/refresh': over, 'POST /auth/login': pair(1) })
  await session.check()
  expect([session.ending, texts().length]).toEqual(['ended', 2])
  await session.login({ username: 'alice', password: 'secret' })
  expect(texts()).toHaveLength(2)
  await session.check()
  rest.routes['POST /auth/login'] = pair(2, bob)
  await session.login({ username: 'bob', password: 'secret' })
  expect(texts()).toEqual([])
})

test('a session that the server has ended removes unsent texts', async () => {
  otherTab(() => logIn(1))
  write(1)
  const over = () => fail(401, 'unauthenticated')
  fakeRest({ 'GET /users/me': over, 'POST /auth/refresh': over })
  await session.revoked()
  expect([session.isLoggedIn, session.ending, texts()]).toEqual([false, 'revoked', []])
})

test('so does an account that has ended', async () => {
  otherTab(() => logIn(1))
  write(1)
  fakeRest({ 'GET /users/me': () => fail(403, 'forbidden') })
  await session.revoked()
  expect([session.isLoggedIn, session.ending, texts()]).toEqual([false, 'closed', []])
})

test('a refused origin does not end the session', async () => {
  otherTab(() => logIn(1))
  write(1)
  fakeRest({ 'GET /users/me': alice })
  await session.revoked()
  expect([session.isLoggedIn, texts().length]).toEqual([true, 2])
})

test('an older answer does not undo an event about the own user', async () => {
  otherTab(() => logIn(1))
  let answer
  fakeRest({ 'GET /users/me': () => new Promise((resolve) => (answer = resolve)) })
  const checking = session.check()
  await settled()
  session.keepMe({ display_name: 'Newer' })
  answer(alice)
  await checking
  expect(session.me).toEqual({ ...alice, display_name: 'Newer' })
})
