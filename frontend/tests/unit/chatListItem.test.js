import { mount, RouterLinkStub } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { fakeRest, later } from './fakeRest'
import { openApp, settled } from './app'

let app, item

beforeEach(async () => (app = await openApp()))

afterEach(() => {
  item.unmount()
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** Shows a chat whose last message is by Bob. */
async function show() {
  const { i18n } = await import('@/i18n')
  const { default: ChatListItem } = await import('@/components/ChatListItem.vue')
  const created_at = '2025-11-23T10:00:00Z'
  const last_message = { id: 1, seq: 1, sender_id: 2, content: 'Hello', message_type: 'text', created_at }
  const chat = {
    id: 1,
    name: 'Lobby',
    chat_type: 'group',
    created_at,
    created_by: 1,
    seq: 1,
    unread_count: 0,
  }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)', component: {} }],
  })
  item = mount(ChatListItem, {
    props: { chat: { ...chat, last_message } },
    global: { plugins: [i18n, router], stubs: { RouterLink: RouterLinkStub } },
  })
}

test('a message is shown without its sender until the name is loaded', async () => {
  const answer = later()
  fakeRest({ 'GET /users/2': () => answer.promise })
  await show()
  expect(item.get('.preview').text()).toBe('Hello')
  answer.resolve({ id: 2, username: 'bob', display_name: 'Bob', status: 'online' })
  await settled()
  expect(item.get('.preview').text()).toBe('Bob: Hello')
})

test('a message that was not sent is shown in place of the last one', async () => {
  fakeRest({ 'GET /users/2': {} })
  const { useOutbox } = await import('@/stores/outbox')
  const entries = [
    { state: 'failed', content: '', files: [{ name: 'one.png' }, { name: 'two.png' }] },
    { state: 'sending', content: 'later' },
  ]
  useOutbox().entriesOf = () => entries
  await show()
  expect(item.get('.preview').text()).toBe('Not sent: one.png, two.png')
})
