import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nextTick } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { fakeRest } from './fakeRest'
import { openApp } from './app'

let app, chats, preferences, wrapper, played

const message = (seq, sender_id = 2) => ({
  id: seq,
  chat_id: 1,
  seq,
  changed_seq: seq,
  sender_id,
  content: '',
  created_at: '2025-11-23T10:00:00Z',
})
const chat = {
  id: 1,
  chat_type: 'group',
  name: 'A',
  created_at: '2025-11-23T10:00:00Z',
  created_by: 1,
  seq: 0,
  last_message: null,
  unread_count: 0,
}

beforeEach(async () => {
  document.head.innerHTML = '<link rel="icon" href="data:,">'
  app = await openApp()
  played = vi.fn()
  vi.doMock('@/services/sound', () => ({ playSound: played }))
  vi.stubGlobal('navigator', { languages: ['en'], platform: '' })
  fakeRest({ 'GET /chats': { chats: [chat], next_cursor: null } })
  chats = (await import('@/stores/chats')).useChats()
  preferences = (await import('@/stores/preferences')).usePreferences()
  const { useNotifications } = await import('@/composables/useNotifications')
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/chats/:chatId', component: {} }],
  })
  await router.push('/chats/1')
  wrapper = mount({ setup: useNotifications, render: () => null }, { global: { plugins: [router] } })
  await app.connect()
})

afterEach(() => {
  wrapper.unmount()
  app.websocket.disconnect()
  vi.doUnmock('@/services/sound')
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const icon = () => decodeURIComponent(document.querySelector('link[rel=icon]').href)

test('the title and the icon of the tab show the number of unread messages', async () => {
  expect(document.title).toBe('A – Vestnik')
  expect(icon()).not.toContain('<text')
  chats.noteRead(1, { unread_count: 3 })
  await nextTick()
  expect(document.title).toBe('(3) A – Vestnik')
  expect(icon()).toContain('>3</text>')
  chats.noteRead(1, { unread_count: 1000 })
  await nextTick()
  expect(document.title).toBe('(99+) A – Vestnik')
  wrapper.unmount()
  expect(document.title).toBe('Vestnik')
  expect(icon()).not.toContain('<text')
})

test('a chat of which only mentions notify the user counts these, and rings for each new one', async () => {
  preferences.sound = true
  await app.deliver({ type: 'chat_settings', chat_id: 1, notifications: 'mentions' })
  const update = (unread_count, unread_mentions, head_seq) =>
    app.deliver({
      type: 'chat_updated',
      chat_id: 1,
      last_message: message(head_seq),
      unread_count,
      unread_mentions,
      head_seq,
    })
  await update(3, 0, 3)
  expect([document.title, played.mock.calls.length]).toEqual(['A – Vestnik', 0])
  await update(5, 1, 5) // the mention is not the last of the two
  expect([document.title, played.mock.calls.length]).toEqual(['(1) A – Vestnik', 1])
  await update(6, 1, 6)
  expect([document.title, played.mock.calls.length]).toEqual(['(1) A – Vestnik', 1])
})

test('a quiet chat counts nowhere and rings for nobody, a marked one counts as one', async () => {
  preferences.sound = true
  vi.spyOn(document, 'hasFocus').mockReturnValue(false)
  const configure = (settings) => app.deliver({ type: 'chat_settings', chat_id: 1, ...settings })
  await configure({ marked_unread: true })
  expect(document.title).toBe('(1) A – Vestnik')
  await configure({ marked_unread: false, notifications: 'none' })
  chats.noteRead(1, { unread_count: 3 })
  await app.deliver({ type: 'new_message', chat_id: 1, message: message(1), seq: 1 })
  expect([document.title, played.mock.calls.length]).toEqual(['A – Vestnik', 0])
  await configure({ notifications: 'mentions' })
  await app.deliver({ type: 'new_message', chat_id: 1, message: message(2), seq: 2 })
  expect(played).not.toHaveBeenCalled()
  await app.deliver({ type: 'new_message', chat_id: 1, message: { ...message(3), mentions: [1] }, seq: 3 })
  expect(played).toHaveBeenCalledOnce()
})

test('the title shows a lost connection', async () => {
  chats.noteRead(1, { unread_count: 3 })
  window.dispatchEvent(new Event('offline'))
  await nextTick()
  expect(document.title).toBe('⚠ (3) A – Vestnik')
  window.dispatchEvent(new Event('online'))
  await nextTick()
  expect(document.title).toBe('(3) A – Vestnik')
})

describe('a sound', () => {
  beforeEach(() => (preferences.sound = true))

  const arrives = (more = {}) =>
    app.deliver({ type: 'new_message', chat_id: 1, message: message(1), seq: 1, ...more })
  const focus = (hasFocus) => vi.spyOn(document, 'hasFocus').mockReturnValue(hasFocus)

  test('is played for messages that the user does not see', async () => {
    focus(false)
    await arrives()
    expect(played).toHaveBeenCalledTimes(1)
    focus(true)
    await app.deliver({
      type: 'chat_updated',
      chat_id: 2,
      last_message: message(5),
      unread_count: 1,
      head_seq: 5,
    })
    expect(played).toHaveBeenCalledTimes(2)
  })

  test.each([
    ['what one sees', () => [focus(true), arrives()]],
    ['what one wrote', () => [focus(false), arrives({ message: message(1, 1) })]],
    [
      'what was only edited',
      () => [
        app.deliver({
          type: 'chat_updated',
          chat_id: 1,
          last_message: message(4),
          unread_count: 1,
          head_seq: 5,
        }),
      ],
    ],
    [
      'what was read',
      () => [
        app.deliver({
          type: 'chat_updated',
          chat_id: 1,
          last_message: message(5),
          unread_count: 0,
          head_seq: 5,
        }),
      ],
    ],
  ])('is not made for %s', async (_what, happens) => {
    await Promise.all(happens())
    expect(played).not.toHaveBeenCalled()
  })

  test('is played only if the user wants it', async () => {
    focus(false)
    preferences.sound = false
    await arrives()
    expect(played).not.toHaveBeenCalled()
  })

  test('is played by one tab', async () => {
    focus(false)
    const request = vi.fn((_name, _options, run) => run(null)) // another tab holds the lock
    vi.stubGlobal('navigator', { locks: { request } })
    await arrives()
    expect([request.mock.calls.length, played.mock.calls.length]).toEqual([1, 0])
  })
})
