import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fakeRest } from './fakeRest'
import { FakeSocket } from './fakeSocket'
import { openApp } from './app'

let app, banner, session

beforeEach(async () => {
  app = await openApp()
  fakeRest({ 'POST /auth/logout': null })
  const { i18n } = await import('@/i18n')
  session = (await import('@/stores/session')).useSession()
  const { default: ConnectionBanner } = await import('@/components/ConnectionBanner.vue')
  banner = mount(ConnectionBanner, { global: { plugins: [i18n] } })
  await app.connect()
  vi.useFakeTimers()
})

afterEach(() => {
  banner.unmount()
  app.websocket.disconnect()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const later = (ms) => vi.advanceTimersByTimeAsync(ms)
const shown = () => banner.findAll('p > span[aria-hidden], p:not(:has(span))').map((text) => text.text())
const buttons = () => banner.findAll('button').map((button) => button.text())

test('is empty while there is a connection', () => expect(banner.text()).toBe(''))

test('counts down, shows the attempt, and disappears', async () => {
  FakeSocket.last.end(1001, '{"retry_in_ms":3000}')
  await later(0)
  expect([shown(), buttons()]).toEqual([['Reconnecting in 3 seconds'], ['Retry now']])
  await later(2_100)
  expect(shown()).toEqual(['Reconnecting in 1 second'])
  await later(900)
  expect([shown(), buttons()]).toEqual([['Reconnecting…'], []])
  FakeSocket.last.accept()
  await later(0)
  expect(banner.text()).toBe('')
})

test('reconnects at once by its button', async () => {
  FakeSocket.last.end()
  await later(0)
  const before = FakeSocket.all.length
  await banner.get('button').trigger('click')
  await later(0)
  expect(FakeSocket.all.length).toBe(before + 1)
})

test('offers to retry when all attempts have failed', async () => {
  for (let attempt = 0; attempt <= 5; attempt++) {
    FakeSocket.last.end()
    await later(16_000)
  }
  expect([shown(), buttons()]).toEqual([['No connection to the server.'], ['Retry now']])
})

test('offers to log in when the token is refused', async () => {
  FakeSocket.last.end(4401)
  await later(0)
  expect([shown(), buttons()]).toEqual([['The server has refused the connection.'], ['Log in', 'Retry now']])
  await banner.get('button').trigger('click')
  expect(session.isLoggedIn).toBe(false)
})

test('shows a lost network at once', async () => {
  window.dispatchEvent(new Event('offline'))
  await later(0)
  expect([shown(), buttons()]).toEqual([['No network.'], []])
  FakeSocket.last.deliver({ type: 'pong' })
  await later(0)
  expect(banner.text()).toBe('')
})
