import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { h, nextTick, provide, reactive, ref, shallowReactive } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { fakeRest } from './fakeRest'
import { FakeSocket } from './fakeSocket'
import { openApp, settled } from './app'

let app, chat, composer, room, timeline, stored, deleted, MessageComposer, useMessageActions, i18n

const created_at = '2025-11-23T10:00:00Z'
const mine = (id, content) => ({
  id,
  chat_id: 7,
  seq: id,
  sender_id: 1,
  content,
  message_type: 'text',
  created_at,
})

beforeEach(async () => {
  app = await openApp()
  fakeRest({ 'GET /users/me': { id: 1 } })
  stored = new Map([[5, mine(5, '  if x:\n    y()  ')]])
  deleted = new Set()
  timeline = {
    state: shallowReactive({ messages: [...stored.values()] }),
    get: (id) => stored.get(id),
    put: (message) => stored.set(message.id, message),
    isDeleted: (id) => deleted.has(id),
  }
  ;({ i18n } = await import('@/i18n'))
  ;({ default: MessageComposer } = await import('@/components/chat/MessageComposer.vue'))
  ;({ useMessageActions } = await import('@/composables/useMessageActions'))
  await app.connect()
  open()
})

afterEach(() => {
  room.unmount()
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** Mounts the composer anew, as after another chat or a reload. */
function open(chatId = 7, more = {}) {
  room?.unmount()
  chat = reactive({ id: chatId, chat_type: 'group', role: 'member', ...more })
  let actions
  const Room = {
    setup() {
      actions = useMessageActions({ timeline, chat: ref(chat), onWrite: () => {}, onShow: () => {} })
      provide('messageActions', actions)
      return () => h(MessageComposer, { chat, timeline })
    },
  }
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: {} }] })
  room = mount(Room, { global: { plugins: [i18n, router], stubs: { IconButton: true } } })
  composer = room.findComponent(MessageComposer)
  composer.actions = actions
}

const field = () => room.get('textarea').element
const type = (text) => room.get('textarea').setValue(text)
const press = (key, more = {}) => room.get('textarea').trigger('keydown', { key, ...more })
const sent = () => composer.emitted('send') ?? []
const frames = () => FakeSocket.last.sent.filter(({ type }) => type === 'edit_message')

async function answer(error) {
  const { id } = frames().at(-1)
  await app.deliver(
    error ? { type: 'error', id, retryable: false, message: '', ...error } : { type: 'ack', id },
  )
}

async function edit(text) {
  composer.actions.edit(stored.get(5))
  await nextTick()
  if (text !== undefined) await type(text)
}

describe('sending', () => {
  test('sends exactly what was typed', async () => {
    await type('    four blanks\n\ttab\n')
    await press('Enter')
    expect(sent()).toEqual([['    four blanks\n\ttab\n', null, []]])
    expect(field().value).toBe('')
  })

  test.each([['  \n '], ['\u200b'], ['\u3164']])('needs a visible character: %j', async (text) => {
    await type(text)
    await press('Enter')
    expect(sent()).toEqual([])
  })

  test.each([
    ['during a composition', { isComposing: true }],
    ['at the end of one, in Safari', { keyCode: 229 }],
  ])('does not happen by Enter %s', async (_when, more) => {
    await type('にほ')
    await press('Enter', more)
    expect(sent()).toEqual([])
  })
})

describe('formatting', () => {
  test.each([
    ['Ctrl+B', { key: 'b' }, 'make **it** so'],
    ['Ctrl+I', { key: 'i' }, 'make _it_ so'],
    ['Ctrl+E', { key: 'e' }, 'make `it` so'],
    ['Ctrl+B on a Russian keyboard', { key: 'и', code: 'KeyB' }, 'make **it** so'],
    ['Ctrl+Shift+X', { key: 'X', shiftKey: true }, 'make ~~it~~ so'],
    ['Ctrl+Shift+B, which is none', { key: 'b', shiftKey: true }, 'make it so'],
  ])('by %s', async (_name, { key, ...more }, expected) => {
    await type('make it so')
    field().setSelectionRange(5, 7)
    await press(key, { ctrlKey: true, ...more })
    expect(field().value).toBe(expected)
    await press('Enter')
    expect(sent()).toEqual([[expected, null, []]])
  })
})

describe('an edit', () => {
  test('begins with the text of the message, and is not sent without a change', async () => {
    await edit()
    expect(field().value).toBe('  if x:\n    y()  ')
    await press('Enter')
    await settled()
    expect([frames(), field().value]).toEqual([[], ''])
  })

  test('keeps its spaces', async () => {
    await edit('  if z:')
    await press('Enter')
    expect(frames()).toMatchObject([{ message_id: 5, content: '  if z:' }])
  })

  test('survives another chat, and so does the draft', async () => {
    await type('a draft')
    await edit('half an ed')
    open(8)
    await nextTick()
    expect(field().value).toBe('')
    open(7)
    await nextTick()
    expect([field().value, composer.actions.editing.value.id]).toEqual(['half an ed', 5])
    await press('Escape')
    await nextTick()
    expect(field().value).toBe('a draft')
    open(7)
    expect([field().value, composer.actions.editing.value]).toEqual(['a draft', null])
  })

  test('becomes the draft when its message is deleted', async () => {
    await edit('worth keeping')
    deleted.add(5)
    timeline.state.messages = []
    await settled()
    expect([field().value, composer.actions.editing.value]).toEqual(['worth keeping', null])
    open(7)
    expect(field().value).toBe('worth keeping')
  })

  test('becomes the draft when saving or reopening the chat finds its message deleted', async () => {
    await type('a draft')
    await edit('worth keeping')
    await press('Enter')
    await answer({ code: 'not_found' })
    await settled()
    expect([field().value, composer.actions.editing.value]).toEqual(['worth keeping\na draft', null])
    await edit('and this')
    deleted.add(5)
    open(7)
    await settled()
    expect([field().value, composer.actions.editing.value]).toEqual([
      'and this\nworth keeping\na draft',
      null,
    ])
  })

  test('goes on after another failure', async () => {
    await edit('other words')
    await press('Enter')
    await answer({ code: 'forbidden' })
    await settled()
    expect([field().value, composer.actions.editing.value.id]).toEqual(['other words', 5])
  })
})

describe('a failed message', () => {
  const entry = { clientId: 'x', chatId: 7, content: 'again', replyTo: 5, state: 'failed' }

  test('is put back, with its reply', async () => {
    composer.vm.putBack(entry)
    await settled()
    expect([field().value, composer.actions.replyTo.value]).toEqual(['again', 5])
  })

  test('is put before the text in the field', async () => {
    await type('more')
    composer.vm.putBack(entry)
    await settled()
    expect(field().value).toBe('again\nmore')
  })

  test('is put back without a reply that was refused, and ends an edit', async () => {
    await edit('half')
    composer.vm.putBack({ ...entry, hasLostReply: true })
    await settled()
    expect([field().value, composer.actions.replyTo.value, composer.actions.editing.value]).toEqual([
      'again',
      null,
      null,
    ])
  })
})

describe('the slow mode', () => {
  const now = Date.UTC(2025, 10, 23, 12)
  const send = () => room.findComponent({ name: 'IconButton' })
  const wait = () => room.find('.wait')

  beforeEach(() => vi.useFakeTimers({ now, toFake: ['Date', 'setInterval', 'clearInterval'] }))
  afterEach(() => vi.useRealTimers())

  /** A message of the user, so many seconds ago by the server's clock. */
  const written = (secondsAgo, skew = 0) => {
    const created_at = new Date(Date.now() - (secondsAgo + skew) * 1000).toISOString()
    timeline.state.messages = [{ ...mine(9, 'before'), created_at }]
  }

  test('counts down before the next message, and keeps the text', async () => {
    written(18)
    open(7, { slow_mode_s: 30 })
    await type('too early')
    expect([wait().text(), field().placeholder]).toEqual(['0:12', 'Message (one per 30 seconds)'])
    await press('Enter')
    expect([sent(), field().value]).toEqual([[], 'too early'])
    await vi.advanceTimersByTimeAsync(11_000)
    expect(wait().text()).toBe('0:01')
    await vi.advanceTimersByTimeAsync(1_250)
    expect([wait().exists(), send().exists()]).toEqual([false, true])
    await press('Enter')
    expect(sent()).toEqual([['too early', null, []]])
  })

  test('begins with each own message', async () => {
    open(7, { slow_mode_s: 90 })
    expect(wait().exists()).toBe(false)
    written(0)
    await nextTick()
    expect(wait().text()).toBe('1:30')
    expect(room.findAll('[role=status]').at(-1).text()).toContain('90 seconds')
  })

  test('takes no longer than its pause, however far the clocks differ', async () => {
    written(0, -3600)
    open(7, { slow_mode_s: 30 })
    expect(wait().text()).toBe('0:30')
    await vi.advanceTimersByTimeAsync(30_250)
    expect(wait().exists()).toBe(false)
  })

  test('does not slow down edits', async () => {
    written(0)
    open(7, { slow_mode_s: 30 })
    await edit('in time')
    await press('Enter')
    expect(frames()).toMatchObject([{ message_id: 5, content: 'in time' }])
  })

  test('waits while a message is under way, and as long as the server says', async () => {
    const { useOutbox } = await import('@/stores/outbox')
    open(7, { slow_mode_s: 30 })
    useOutbox().send(7, 'first')
    await type('second')
    await press('Enter')
    expect(sent()).toEqual([])
    const { id } = FakeSocket.last.sent.find((frame) => frame.type === 'send_message')
    const error = { code: 'rate_limited', message: '', retryable: true, retry_after_ms: 20_000 }
    await app.deliver({ type: 'error', id, ...error })
    expect(wait().text()).toBe('0:20')
  })

  test.each(['admin', 'owner'])('is not for an %s', async (role) => {
    written(0)
    open(7, { slow_mode_s: 30, role })
    expect([wait().exists(), field().placeholder]).toEqual([false, 'Message'])
  })
})

describe('a mute', () => {
  test('takes the place of the composer until its time is over', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => vi.useRealTimers())
    await type('half a thought')
    chat.muted_until = new Date(Date.now() + 60_000).toISOString()
    await nextTick()
    expect(room.find('textarea').exists()).toBe(false)
    expect(room.get('[role=status]').text()).toMatch(
      /^You are muted here until .*\d.*\. You can read, but not write\.$/,
    )
    expect([composer.actions.canWrite(), composer.actions.canEdit(stored.get(5))]).toEqual([false, false])
    await vi.advanceTimersByTimeAsync(60_001)
    expect([field().value, composer.actions.canWrite()]).toEqual(['half a thought', true])
  })

  test('that is lifted ends at once, and one for good has no time', async () => {
    chat.muted_until = '2199-01-01T00:00:00Z'
    await nextTick()
    expect(room.get('[role=status]').text()).toContain('until an admin lifts it')
    chat.muted_until = null
    await nextTick()
    expect(room.find('textarea').exists()).toBe(true)
  })
})
