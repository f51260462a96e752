import { flushPromises, mount, RouterLinkStub } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { fail, fakeRest } from './fakeRest'
import { openApp, settled } from './app'

const TOKEN = `vb_${'x'.repeat(43)}`
const echo = {
  id: 7,
  username: 'echo',
  display_name: 'Echo',
  status: 'offline',
  is_bot: true,
  owner_id: 1,
  active: true,
  deleted: false,
}

let app, list, confirm

beforeEach(async () => {
  app = await openApp()
  confirm = (await import('@/composables/useConfirm')).useConfirm()
})

afterEach(() => {
  list.unmount()
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

async function shown(name, props = {}) {
  const { i18n } = await import('@/i18n')
  await import('@/i18n/account')
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)', component: {} }],
  })
  const components = import.meta.glob('/src/components/**/*.vue')
  const { default: component } = await components[`/src/components/${name}.vue`]()
  const options = { plugins: [i18n, router], stubs: { RouterLink: RouterLinkStub } }
  list = mount(component, { props, global: options, attachTo: document.body })
  await settled()
}

/** @param {string} label */
const button = (label) =>
  list.findAll('button').find((one) => [one.attributes('aria-label'), one.text()].includes(label))

/** Answers the question that a click on a button asks. */
async function press(label) {
  await button(label).trigger('click')
  confirm.accept({})
  await settled()
}

test('a bot is made, and its token is shown once', async () => {
  const bots = []
  const rest = fakeRest({
    'GET /bots': () => ({ bots: [...bots] }),
    'POST /bots': () => (bots.push(echo), { bot: echo, token: TOKEN }),
  })
  await shown('profile/BotList')
  expect(list.text()).toContain('You have no bots.')
  const [username, name] = list.findAll('input')
  await username.setValue(' echo ')
  await name.setValue('')
  await list.get('form').trigger('submit')
  await settled()
  expect(rest.of('POST /bots')[0].body).toEqual({ username: 'echo' })
  expect(list.get('input').element.value).toBe(TOKEN)
  expect(list.text()).toContain('Token of Echo')
  expect(document.activeElement).toBe(list.get('input').element)
  await button('Done').trigger('click')
  await flushPromises()
  expect(document.activeElement).toBe(button('New token for Echo').element)
  expect(list.html()).not.toContain(TOKEN)
  expect(list.get('li').text()).toContain('Echo')
  expect(list.get('.bot-badge').text()).toBe('bot')
  expect(list.findAll('input').map((input) => input.element.value)).toEqual(['', ''])
})

test('the token is copied', async () => {
  const writeText = vi.fn(async () => {})
  vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } })
  await shown('profile/TokenOnce', { bot: echo, token: TOKEN })
  await button('Copy the token').trigger('click')
  await settled()
  expect(writeText).toHaveBeenCalledWith(TOKEN)
})

test('what is wrong with a new bot is said at its field', async () => {
  const answers = [
    fail(409, 'conflict', { fields: { username: 'is taken' } }),
    fail(409, 'conflict', { message: 'a user has at most 20 bots' }),
  ]
  const rest = fakeRest({ 'GET /bots': { bots: [] }, 'POST /bots': () => answers.shift() })
  await shown('profile/BotList')
  const [username] = list.findAll('input')
  await username.setValue('e')
  await list.get('form').trigger('submit')
  await settled()
  expect(rest.of('POST /bots')).toEqual([])
  expect(username.attributes('aria-invalid')).toBe('true')
  await username.setValue('echo')
  await list.get('form').trigger('submit')
  await settled()
  expect(username.attributes('aria-invalid')).toBe('true')
  await username.setValue('another')
  await list.get('form').trigger('submit')
  await settled()
  expect(list.text()).toContain('You have as many bots as you can have.')
})

test('another token, after a question', async () => {
  const rest = fakeRest({ 'GET /bots': { bots: [echo] }, 'POST /bots/7/token': { token: TOKEN } })
  await shown('profile/BotList')
  await button('New token for Echo').trigger('click')
  await settled()
  expect(confirm.question.value.title).toBe('Make a new token for Echo?')
  confirm.cancel()
  await settled()
  expect(rest.of('POST /bots/7/token')).toEqual([])
  await press('New token for Echo')
  expect(list.get('input').element.value).toBe(TOKEN)
})

test('a deleted bot goes out of the list', async () => {
  const bots = [echo]
  fakeRest({ 'GET /bots': () => ({ bots: [...bots] }), 'DELETE /bots/7': () => (bots.pop(), null) })
  await shown('profile/BotList')
  await press('Delete Echo')
  expect(list.find('li').exists()).toBe(false)
  expect(list.text()).toContain('You have no bots.')
})

test('a banned bot gets no token', async () => {
  fakeRest({
    'GET /bots': { bots: [{ ...echo, active: false }] },
    'POST /bots/7/token': fail(403, 'forbidden'),
  })
  const { useNotices } = await import('@/composables/useNotices')
  await shown('profile/BotList')
  await press('New token for Echo')
  expect(list.find('#token-once').exists()).toBe(false)
  expect(useNotices().notices.value.at(-1).text).toBe('This bot is banned from the server and gets no token.')
})

test.each([true, false])('a chat in the list says whether it is with a bot: %s', async (is_bot) => {
  fakeRest({ 'GET /users/7': { ...echo, is_bot } })
  const created_at = '2025-11-23T10:00:00Z'
  const chat = { id: 1, chat_type: 'private', name: null, created_at, created_by: 7, seq: 0, unread_count: 0 }
  await shown('ChatListItem', { chat: { ...chat, last_message: null } })
  expect(list.get('.title').text()).toBe('Echo')
  expect(list.find('.bot-badge').exists()).toBe(is_bot)
})
