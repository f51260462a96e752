import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { alice, bob, fail, fakeRest, later, logIn, otherTab, pair } from './fakeRest'

/** @type {typeof import('@/services/tokens')} */
let tokens

async function tab() {
  vi.resetModules()
  return import('@/services/tokens')
}

beforeEach(async () => {
  localStorage.clear()
  logIn(1)
  tokens = await tab()
})

afterEach(() => vi.unstubAllGlobals())

const refused = { code: 'unauthenticated' }

describe('an access token', () => {
  test('is the present one while it is valid', async () => {
    const rest = fakeRest({})
    expect(await tokens.access()).toBe('access 1')
    expect(rest.calls).toEqual([])
  })

  test.each([
    ['ends soon', {}, 29],
    ['was refused', { refused: 'access 1' }, 3600],
    ['will not do', { fresh: true }, 3600],
  ])('is renewed when it %s', async (_why, options, expiresInS) => {
    otherTab(() => logIn(1, alice, expiresInS))
    const rest = fakeRest({ 'POST /auth/refresh': pair(2) })
    expect(await tokens.access(options)).toBe('access 2')
    expect(rest.calls[0].body).toEqual({ refresh_token: 'refresh 1' })
    expect(JSON.parse(localStorage.getItem('vestnik.session')).refresh_token).toBe('refresh 2')
  })

  test('is not replaced because of a refused older one', async () => {
    fakeRest({})
    otherTab(() => logIn(2))
    expect(await tokens.access({ refused: 'access 1' })).toBe('access 2')
  })

  test('is replaced once for all callers', async () => {
    const answer = later()
    const rest = fakeRest({ 'POST /auth/refresh': () => answer.promise })
    const all = Promise.all([1, 2, 3].map(() => tokens.access({ fresh: true })))
    answer.resolve(pair(2))
    expect(await all).toEqual(['access 2', 'access 2', 'access 2'])
    expect(rest.calls).toHaveLength(1)
  })

  test('is replaced by one tab', async () => {
    /** @type {Promise<any>} */
    let last = Promise.resolve()
    const request = (_name, run) => (last = last.then(run))
    vi.stubGlobal('navigator', { locks: { request } })
    const rest = fakeRest({ 'POST /auth/refresh': pair(2) })
    const other = await tab()
    expect(await Promise.all([tokens.access({ fresh: true }), other.access({ fresh: true })])).toEqual([
      'access 2',
      'access 2',
    ])
    expect(rest.calls).toHaveLength(1)
  })
})

describe('the session', () => {
  test.each([401, 403])('ends when the server refuses to refresh it: %i', async (status) => {
    const code = status === 401 ? 'unauthenticated' : 'forbidden'
    fakeRest({ 'POST /auth/refresh': fail(status, code) })
    await expect(tokens.access({ fresh: true })).rejects.toMatchObject({ code })
    expect(tokens.current()).toBeNull()
    expect(localStorage.getItem('vestnik.session')).toBeNull()
  })

  test.each([
    ['cannot be reached', () => Promise.reject(new TypeError('down')), 'network'],
    ['is busy', () => fail(503, 'unavailable'), 'unavailable'],
  ])('is kept while the server %s', async (_why, answer, code) => {
    fakeRest({ 'POST /auth/refresh': answer })
    await expect(tokens.access({ fresh: true })).rejects.toMatchObject({ code, retryable: true })
    expect(tokens.current().refresh_token).toBe('refresh 1')
  })

  test('is not restored by a refresh that ends after a logout in another tab', async () => {
    const answer = later()
    fakeRest({ 'POST /auth/refresh': () => answer.promise })
    const wanted = tokens.access({ fresh: true })
    otherTab(() => localStorage.removeItem('vestnik.session'))
    answer.resolve(pair(2))
    await expect(wanted).rejects.toMatchObject(refused)
    expect(localStorage.getItem('vestnik.session')).toBeNull()
  })

  test('of another tab does not end with an older one', async () => {
    const answer = later()
    fakeRest({ 'POST /auth/refresh': () => answer.promise })
    const wanted = tokens.access({ fresh: true })
    otherTab(() => logIn(7, bob))
    answer.resolve(fail(401, 'unauthenticated'))
    await expect(wanted).rejects.toMatchObject(refused)
    expect(tokens.current().user).toEqual(bob)
  })

  test('calls back when any tab changes it', () => {
    const onSession = vi.fn()
    tokens.onChange(onSession)
    tokens.end()
    otherTab(() => logIn(2, bob))
    tokens.keepUser({ ...bob, display_name: 'Robert' })
    expect(onSession.mock.calls.map(([session]) => session?.user.display_name)).toEqual([
      undefined,
      'Bob',
      'Robert',
    ])
  })

  test.each(['rubbish', '{}', 'null', '[]', '"x"'])('is null if %s is stored', async (kept) => {
    localStorage.setItem('vestnik.session', kept)
    expect((await tab()).current()).toBeNull()
  })

  test('has no token if it is null', async () => {
    tokens.end()
    await expect(tokens.access()).rejects.toMatchObject(refused)
  })
})
