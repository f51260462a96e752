import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { fail, fakeRest } from './fakeRest'
import { openApp, settled } from './app'

let app, chats, notices, wrapper, rest, i18n, setLanguage

const chat = (id, name) => ({
  id,
  name,
  chat_type: 'group',
  created_at: '2025-11-23T10:00:00Z',
  created_by: 1,
  member_count: 2,
  seq: 0,
  role: 'owner',
  unread_count: 0,
  last_message: null,
})

beforeEach(async () => {
  app = await openApp()
  rest = fakeRest({
    'GET /chats': { chats: [chat(1, 'Lobby'), chat(2, 'Other')], next_cursor: null },
    'GET /chats/1': () => fail(404, 'not_found'),
    'GET /chats/2': () => fail(404, 'not_found'),
  })
  ;({ i18n, setLanguage } = await import('@/i18n'))
  chats = (await import('@/stores/chats')).useChats()
  const { default: ChatLoader } = await import('@/components/ChatLoader.vue')
  const { useRemovals } = await import('@/composables/useRemovals')
  notices = (await import('@/composables/useNotices')).useNotices().notices
  await app.connect()
  const routes = [
    { path: '/', name: 'home', component: {} },
    { path: '/chats/:chatId', component: {} },
  ]
  const router = createRouter({ history: createMemoryHistory(), routes })
  await router.push('/chats/1')
  const Page = { components: { ChatLoader }, setup: () => useRemovals(), template: '' }
  const { h } = await import('vue')
  Page.render = () => h(ChatLoader, { chatId: 1 }, () => 'the room')
  wrapper = mount(Page, { global: { plugins: [router, i18n] } })
})

afterEach(() => {
  wrapper.unmount()
  app.websocket.disconnect()
  setLanguage('en')
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const goes = (chat_id, more) => app.deliver({ type: 'chat_removed', chat_id, ...more })
const shown = () => notices.value.map(({ text }) => text)

describe('an open chat that is removed says why', () => {
  test.each([
    ['removed', 'en', 'You were removed from “Lobby”.'],
    ['banned', 'en', 'You were banned from “Lobby”.'],
    ['deleted', 'en', '“Lobby” was deleted.'],
    ['left', 'en', 'You left “Lobby”.'],
    ['removed', 'ru', 'Вас удалили из чата «Lobby».'],
    ['deleted', 'ru', 'Чат «Lobby» удалён.'],
  ])('%s, %s', async (reason, language, words) => {
    await setLanguage(language)
    expect(wrapper.text()).toBe('the room')
    await goes(1, { reason, name: 'Lobby' })
    expect(wrapper.get('[role=alert]').text()).toBe(words)
    expect(shown()).toEqual([])
  })

  test.each([[{}], [{ reason: 'something new', name: 'Lobby' }]])(
    'as far as it can be said: %o',
    async (more) => {
      await goes(1, more)
      expect(wrapper.get('[role=alert]').text()).toContain('does not exist')
    },
  )

  test('with the name that was shown', async () => {
    await goes(1, { reason: 'removed', name: null })
    expect(wrapper.get('[role=alert]').text()).toBe('You were removed from “Lobby”.')
  })

  test('and comes back with the chat', async () => {
    await goes(1, { reason: 'removed', name: 'Lobby' })
    rest.routes['GET /chats/1'] = chat(1, 'Lobby')
    await app.deliver({ type: 'chat_added', chat_id: 1, head_seq: 0 })
    await settled()
    expect(wrapper.text()).toBe('the room')
  })
})

test('an open chat that was removed while there was no connection says its name', async () => {
  rest.routes['GET /chats'] = { chats: [chat(2, 'Other')], next_cursor: null }
  await chats.load()
  await settled()
  expect(wrapper.get('[role=alert]').text()).toBe('“Lobby” is gone: it was deleted, or you were removed.')
})

describe('a mute', () => {
  const until = new Date(Date.now() + 3_600_000).toISOString()
  const settings = (chat_id, muted_until) => app.deliver({ type: 'chat_settings', chat_id, muted_until })

  test('of a chat that is not open is told, and its end', async () => {
    const { timeOf } = await import('@/i18n/dates')
    await settings(2, until)
    expect(shown()).toEqual([`You are muted in “Other” until ${timeOf(until)}.`])
    await settings(2, null)
    expect(shown().at(-1)).toBe('You can write in “Other” again.')
  })

  test('for good is told without a time', async () => {
    await settings(2, '2199-01-01T00:00:00Z')
    expect(shown()).toEqual(['You are muted in “Other” until an admin lifts it.'])
  })

  test.each([
    ['of the open chat, whose composer says it', 1, until],
    ['that is over', 2, '2020-01-01T00:00:00Z'],
  ])('%s makes no notice', async (_which, chatId, end) => {
    await settings(chatId, end)
    await settings(chatId, null)
    expect(shown()).toEqual([])
  })
})

describe('of a chat that is not open', () => {
  test('a notice is shown', async () => {
    await goes(2, { reason: 'removed', name: 'Other' })
    expect(shown()).toEqual(['You were removed from “Other”.'])
  })

  test('no notice is shown if the user has removed it', async () => {
    await goes(2, { reason: 'left', name: 'Other' })
    rest.routes['GET /chats/3'] = chat(3, 'Third')
    await chats.fetch(3)
    rest.routes['DELETE /chats/3'] = async () => {
      await goes(3, { reason: 'deleted', name: 'Third' })
      return null
    }
    await chats.remove(3)
    expect(shown()).toEqual([])
  })
})
