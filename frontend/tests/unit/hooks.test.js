import { flushPromises, mount, RouterLinkStub } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fail, fakeRest } from './fakeRest'
import { openApp, settled } from './app'

const URL = `https://chat.example.org/hooks/${'x'.repeat(43)}`
const alerts = {
  id: 7,
  chat_id: 1,
  name: 'Alerts',
  kind: 'incoming',
  user_id: 31,
  created_by: 1,
  created_at: '2025-11-23T10:00:00Z',
  state: 'active',
  paused: false,
}
const ci = {
  ...alerts,
  id: 8,
  name: 'CI',
  kind: 'outgoing',
  state: 'failing',
  target_url: 'https://ci.example.org/chat',
  events: ['new_message'],
  include_bots: false,
  last_error: 'status 500',
  failing_since: '2025-11-23T10:00:00Z',
  next_try_at: '2025-11-23T10:05:00Z',
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

async function shown() {
  const { i18n } = await import('@/i18n')
  const { default: component } = await import('@/components/hooks/HookList.vue')
  const options = { plugins: [i18n], stubs: { RouterLink: RouterLinkStub } }
  list = mount(component, { props: { chatId: 1 }, global: options, attachTo: document.body })
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

test('an incoming hook is added, and its address is shown once', async () => {
  const rest = fakeRest({
    'GET /chats/1/hooks': { hooks: [] },
    'POST /chats/1/hooks': { ...alerts, url: URL },
  })
  await shown()
  expect(list.text()).toContain('This chat has no hooks.')
  await list.get('form input:not([type=radio])').setValue(' Alerts ')
  await list.get('form').trigger('submit')
  await settled()
  expect(rest.of('POST /chats/1/hooks')[0].body).toEqual({ kind: 'incoming', name: 'Alerts' })
  expect(list.get('input').element.value).toBe(URL)
  expect(list.text()).toContain('Address of Alerts')
  expect(document.activeElement).toBe(list.get('input').element)
  await button('Done').trigger('click')
  await flushPromises()
  expect(document.activeElement).toBe(button('New address for Alerts').element)
  expect(list.html()).not.toContain(URL)
  expect(list.get('li').text()).toContain('Incoming · works')
})

test('an outgoing hook is added with its events', async () => {
  const rest = fakeRest({
    'GET /chats/1/hooks': { hooks: [] },
    'POST /chats/1/hooks': { ...ci, secret: 'a secret' },
  })
  await shown()
  await list.get('input[value=outgoing]').setValue()
  const [name, target] = list.findAll('form .field input')
  await name.setValue('CI')
  await target.setValue('ci.example.org')
  await list.get('input[value=new_message]').setValue(false)
  await list.get('form').trigger('submit')
  await settled()
  expect(rest.of('POST /chats/1/hooks')).toEqual([])
  expect(target.attributes('aria-invalid')).toBe('true')
  expect(list.text()).toContain('Choose at least one kind of event.')
  await target.setValue(ci.target_url)
  await list.get('input[value=message_deleted]').setValue(true)
  await list.get('form').trigger('submit')
  await settled()
  expect(rest.of('POST /chats/1/hooks')[0].body).toEqual({
    kind: 'outgoing',
    name: 'CI',
    target_url: ci.target_url,
    events: ['message_deleted'],
    include_bots: false,
  })
  expect(list.text()).toContain('Secret of CI')
  expect(list.get('input').element.value).toBe('a secret')
})

test.each([
  [fail(409, 'conflict'), 'A chat has at most 20 hooks.'],
  [fail(422, 'invalid', { fields: { target_url: 'must start with https://' } }), 'begins with https://'],
])('what the server refuses is said', async (answer, words) => {
  fakeRest({ 'GET /chats/1/hooks': { hooks: [] }, 'POST /chats/1/hooks': answer })
  await shown()
  await list.get('input[value=outgoing]').setValue()
  const [name, target] = list.findAll('form .field input')
  await name.setValue('CI')
  await target.setValue('http://ci.example.org')
  await list.get('form').trigger('submit')
  await settled()
  expect(list.text()).toContain(words)
})

test('failures are shown', async () => {
  fakeRest({ 'GET /chats/1/hooks': { hooks: [ci] } })
  await shown()
  const row = list.get('li').text()
  expect(row).toContain('Outgoing · deliveries fail · https://ci.example.org/chat')
  expect(row).toMatch(/status 500 · since .* · next try /)
})

test('a hook without its maker is resumed', async () => {
  const orphan = { ...alerts, state: 'without_maker', paused: true, created_by: 9 }
  const rest = fakeRest({
    'GET /chats/1/hooks': { hooks: [orphan] },
    'GET /users/9': { id: 9, username: 'boris', display_name: 'Boris', status: 'offline' },
    'PATCH /hooks/7': alerts,
  })
  await shown()
  expect(list.get('li').text()).toContain('Boris is no longer an admin here')
  await button('Resume Alerts').trigger('click')
  await settled()
  expect(rest.of('PATCH /hooks/7')[0].body).toEqual({ paused: false })
  expect(list.get('li').text()).toContain('works')
  expect(button('Pause Alerts')).toBeTruthy()
})

test('a new address, and the end of a hook, after a question', async () => {
  const hooks = [alerts]
  fakeRest({
    'GET /chats/1/hooks': () => ({ hooks: [...hooks] }),
    'POST /hooks/7/key': { ...alerts, url: URL },
    'DELETE /hooks/7': () => (hooks.pop(), null),
  })
  await shown()
  await press('New address for Alerts')
  expect(list.get('input').element.value).toBe(URL)
  await button('Done').trigger('click')
  await flushPromises()
  await press('Remove Alerts')
  expect(list.find('li').exists()).toBe(false)
})

test('a hook is changed, by what is another now', async () => {
  const rest = fakeRest({
    'GET /chats/1/hooks': { hooks: [alerts, ci] },
    'PATCH /hooks/8': { ...ci, name: 'Builds', events: ['new_message', 'message_deleted'] },
  })
  await shown()
  await button('Edit CI').trigger('click')
  const form = list.get('form[aria-label="Edit CI"]')
  const [name, target] = form.findAll('.field input')
  expect(document.activeElement).toBe(name.element)
  expect(target.element.value).toBe(ci.target_url)
  expect(form.find('input[type=radio]').exists()).toBe(false)
  await name.setValue(' ')
  await form.trigger('submit')
  expect(name.attributes('aria-invalid')).toBe('true')
  await name.setValue('Builds')
  await form.get('input[value=message_deleted]').setValue(true)
  await form.trigger('submit')
  await settled()
  expect(rest.of('PATCH /hooks/8').map(({ body }) => body)).toEqual([
    { name: 'Builds', events: ['new_message', 'message_deleted'] },
  ])
  expect(list.text()).toContain('Builds')
  expect(document.activeElement).toBe(button('Edit Builds').element)
})

test('a hook that is not changed after all is not sent', async () => {
  const rest = fakeRest({ 'GET /chats/1/hooks': { hooks: [alerts, ci] } })
  await shown()
  for (const end of ['Cancel', 'Save']) {
    await button('Edit Alerts').trigger('click')
    expect(list.findAll('form .field input')).toHaveLength(1)
    if (end === 'Cancel') await list.get('form input').setValue('Other')
    await (end === 'Save' ? list.get('form').trigger('submit') : button(end).trigger('click'))
    await settled()
    expect(document.activeElement).toBe(button('Edit Alerts').element)
  }
  expect(rest.of('PATCH /hooks/7')).toEqual([])
})

test('a hook that is gone meanwhile is said to be', async () => {
  fakeRest({ 'GET /chats/1/hooks': { hooks: [ci] }, 'PATCH /hooks/8': fail(404, 'not_found') })
  await shown()
  await button('Edit CI').trigger('click')
  await list.get('form input').setValue('Other')
  await list.get('form').trigger('submit')
  await settled()
  expect(list.text()).toContain('This hook has been removed.')
})
