import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { isCtrl } from '@/services/keys'
import { fakeRest } from './fakeRest'
import { openApp, settled } from './app'

const press = (init) => {
  const event = new KeyboardEvent('keydown', { cancelable: true, ...init })
  window.dispatchEvent(event)
  return event.defaultPrevented
}

describe('Ctrl and a key', () => {
  test.each([
    ['k', { ctrlKey: true, key: 'k', code: 'KeyK' }, true],
    ['K with ⌘', { metaKey: true, key: 'K', code: 'KeyK' }, true],
    ['k of a Russian keyboard', { ctrlKey: true, key: 'л', code: 'KeyK' }, true],
    ['k where Dvorak has it', { ctrlKey: true, key: 'k', code: 'KeyV' }, true],
    ['what Dvorak has where k is', { ctrlKey: true, key: 't', code: 'KeyK' }, false],
    ['k alone', { key: 'k', code: 'KeyK' }, false],
    ['AltGr and k', { ctrlKey: true, altKey: true, key: 'k', code: 'KeyK' }, false],
  ])('%s', (_what, init, expected) => {
    expect(isCtrl(new KeyboardEvent('keydown', init), 'k', 'KeyK')).toBe(expected)
  })

  test.each([
    ['/', { key: '/', code: 'Slash' }, true],
    ['/ of a Russian keyboard', { key: '.', code: 'Slash' }, true],
    ['/ of a German keyboard', { key: '/', code: 'Digit7', shiftKey: true }, true],
    ['- of a German keyboard, which makes the page smaller', { key: '-', code: 'Slash' }, false],
  ])('%s', (_what, init, expected) => {
    expect(isCtrl(new KeyboardEvent('keydown', { ctrlKey: true, ...init }), '/', 'Slash')).toBe(expected)
  })
})

describe('everywhere', () => {
  let app, router, wrapper, dialogs, search

  beforeEach(async () => {
    app = await openApp()
    const chat = (id, unread_count) => ({
      id,
      chat_type: 'group',
      name: `${id}`,
      created_at: `2025-11-23T10:0${9 - id}:00Z`,
      created_by: 1,
      seq: 0,
      last_message: null,
      unread_count,
    })
    fakeRest({ 'GET /chats': { chats: [chat(1, 0), chat(2, 0), chat(3, 4)], next_cursor: null } })
    await (await import('@/stores/chats')).useChats().load()
    const { useKeyboard } = await import('@/composables/useKeyboard')
    dialogs = (await import('@/composables/useDialogs')).useDialogs()
    search = (await import('@/stores/search')).useSearch()
    router = createRouter({
      history: createMemoryHistory(),
      routes: [
        { path: '/', component: {} },
        { path: '/chats/:chatId', name: 'chat', component: {} },
      ],
    })
    await router.push('/')
    wrapper = mount(
      { setup: useKeyboard, template: '<i />', render: () => null },
      { global: { plugins: [router] } },
    )
  })

  afterEach(() => {
    wrapper.unmount()
    app.websocket.disconnect()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  async function go(init) {
    press({ altKey: true, ...init })
    await settled()
    return router.currentRoute.value.path
  }

  test('Alt and arrows go from chat to chat, and wrap around', async () => {
    const down = { key: 'ArrowDown' }
    expect([await go(down), await go(down), await go(down), await go(down)]).toEqual([
      '/chats/1',
      '/chats/2',
      '/chats/3',
      '/chats/1',
    ])
    expect(await go({ key: 'ArrowUp' })).toBe('/chats/3')
  })

  test('with Shift only to unread ones', async () => {
    expect(await go({ key: 'ArrowUp', shiftKey: true })).toBe('/chats/3')
    await router.push('/chats/1')
    expect(await go({ key: 'ArrowDown', shiftKey: true })).toBe('/chats/3')
  })

  test('the help opens and closes', () => {
    expect(press({ ctrlKey: true, key: '/', code: 'Slash' })).toBe(true)
    expect(dialogs.dialog.value.name).toBe('keyboardHelp')
    press({ ctrlKey: true, key: '/', code: 'Slash' })
    expect(dialogs.dialog.value).toBeNull()
  })

  test('search takes the focus, and closes a dialog before', async () => {
    expect(press({ ctrlKey: true, key: 'k', code: 'KeyK' })).toBe(true)
    expect(search.calls).toBe(1)
    dialogs.open('profile')
    press({ ctrlKey: true, key: 'k', code: 'KeyK' })
    expect(dialogs.dialog.value).toBeNull()
    await vi.waitFor(() => expect(search.calls).toBe(2))
  })

  test('other keys do nothing, and nor do arrows behind a dialog', async () => {
    expect(press({ key: 'k', code: 'KeyK' })).toBe(false)
    expect(press({ key: 'ArrowDown' })).toBe(false)
    dialogs.open('profile')
    expect(await go({ key: 'ArrowDown' })).toBe('/')
  })

  test('the listeners end with the component', () => {
    wrapper.unmount()
    expect(press({ ctrlKey: true, key: 'k', code: 'KeyK' })).toBe(false)
  })
})
