import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { useChatWebSocket, useWebSocket } from '@/composables/useWebSocket'
import websocket from '@/services/websocket'
import DocumentedChat from './DocumentedChat.vue'
import { FakeSocket } from './fakeSocket'

const scopes = []

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  FakeSocket.all = []
  vi.spyOn(console, 'log').mockReturnValue()
})

afterEach(() => {
  for (const scope of scopes.splice(0)) scope.stop()
  websocket.disconnect()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

async function connected(userId = 1) {
  websocket.connect('T')
  await vi.advanceTimersByTimeAsync(0)
  return FakeSocket.last.accept(userId)
}

function inScope(run) {
  const scope = effectScope()
  scopes.push(scope)
  return { scope, result: scope.run(run) }
}

const typing = (user_id, is_typing = true, chat_id = 123) => ({ type: 'typing', chat_id, user_id, is_typing })

describe('the component of the document, as printed', () => {
  test('shows the connection and who types, and joins, types and reads', async () => {
    const component = mount(DocumentedChat)
    expect(component.text()).toBe('')
    const socket = await connected()
    await nextTick()
    expect(component.text()).toBe('🟢 Онлайн')
    socket.deliver(typing(2))
    await nextTick()
    expect(component.text()).toContain('Печатает...')
    component.vm.handleInput()
    component.vm.handleOpen()
    component.unmount()
    expect(socket.sent).toEqual([
      { type: 'join_chat', chat_id: 123 },
      { type: 'typing', chat_id: 123, is_typing: true },
      { type: 'read_messages', chat_id: 123 },
      { type: 'leave_chat', chat_id: 123 },
    ])
  })

  test('changes with its chat', async () => {
    const component = mount(DocumentedChat)
    const socket = await connected()
    socket.deliver(typing(2))
    component.vm.chatId = 124
    await nextTick()
    expect(component.text()).not.toContain('Печатает')
    socket.deliver(typing(2))
    await nextTick()
    expect(component.text()).not.toContain('Печатает')
    expect(socket.sent.slice(1)).toEqual([
      { type: 'leave_chat', chat_id: 123 },
      { type: 'join_chat', chat_id: 124 },
    ])
    component.unmount()
  })
})

describe('typing', () => {
  test('disappears after 3.5 s without a repeat', async () => {
    const { result } = inScope(() => useChatWebSocket(123))
    const socket = await connected()
    socket.deliver(typing(2))
    await vi.advanceTimersByTimeAsync(2_000)
    socket.deliver(typing(2))
    await vi.advanceTimersByTimeAsync(3_000)
    expect([...result.typingUsers]).toEqual([2])
    await vi.advanceTimersByTimeAsync(500)
    expect(result.typingUsers.size).toBe(0)
  })

  test.each([
    ['its end', typing(2, false)],
    ['a message of that user', { type: 'new_message', chat_id: 123, message: { id: 1, sender_id: 2 } }],
    ['the user going offline', { type: 'user_offline', user_id: 2 }],
  ])('ends with %s', async (_what, frame) => {
    const { result } = inScope(() => useChatWebSocket(123))
    const socket = await connected()
    socket.deliver(typing(2))
    socket.deliver(typing(3))
    socket.deliver(frame)
    expect([...result.typingUsers]).toEqual([3])
  })

  test('ends with the connection', async () => {
    const { result } = inScope(() => useChatWebSocket(123))
    const socket = await connected()
    socket.deliver(typing(2))
    socket.end()
    expect(result.typingUsers.size).toBe(0)
  })

  test('of the own user is not shown', async () => {
    const { result } = inScope(() => useChatWebSocket(123))
    const socket = await connected(7)
    socket.deliver(typing(7))
    expect(result.typingUsers.size).toBe(0)
  })

  test('is sent once a second, and its end at once and once', async () => {
    const { result } = inScope(() => useChatWebSocket(123))
    const socket = await connected()
    result.sendTyping(false)
    for (let keys = 0; keys < 30; keys++) {
      result.sendTyping(true)
      await vi.advanceTimersByTimeAsync(100)
    }
    result.sendTyping(false)
    result.sendTyping(false)
    expect(socket.sent.slice(1).map((frame) => frame.is_typing)).toEqual([true, true, true, false])
  })
})

describe('chats', () => {
  test('are joined once for all components, and left with the last', async () => {
    const first = inScope(() => useChatWebSocket(1))
    const socket = await connected()
    const second = inScope(() => useChatWebSocket(() => 1))
    first.scope.stop()
    expect(socket.sent).toEqual([{ type: 'join_chat', chat_id: 1 }])
    second.scope.stop()
    expect(socket.sent.at(-1)).toEqual({ type: 'leave_chat', chat_id: 1 })
  })

  test('are joined again after a reconnect', async () => {
    inScope(() => useChatWebSocket(1))
    const socket = await connected()
    socket.end()
    await vi.advanceTimersByTimeAsync(1_000)
    FakeSocket.last.accept()
    expect(FakeSocket.last.sent).toEqual([{ type: 'join_chat', chat_id: 1 }])
  })

  test('are joined by the component with a join of its own, once at each connection', async () => {
    const join = vi.fn((chat_id) => websocket.send({ type: 'join_chat', chat_id, after_seq: 40 }))
    inScope(() => useChatWebSocket(1))
    const { scope } = inScope(() => useChatWebSocket(1, { join }))
    expect(join).toHaveBeenCalledExactlyOnceWith(1)
    const socket = await connected()
    inScope(() => useChatWebSocket(1))
    expect(socket.sent).toEqual([{ type: 'join_chat', chat_id: 1, after_seq: 40 }])
    scope.stop()
    socket.end()
    await vi.advanceTimersByTimeAsync(1_000)
    FakeSocket.last.accept()
    expect(FakeSocket.last.sent).toEqual([{ type: 'join_chat', chat_id: 1 }])
  })

  test('without an id nothing is joined', async () => {
    const chatId = ref(null)
    const { result } = inScope(() => useChatWebSocket(chatId))
    const socket = await connected()
    result.sendTyping()
    result.markAsRead()
    expect(socket.sent).toEqual([])
    chatId.value = 5
    await nextTick()
    expect(socket.sent).toEqual([{ type: 'join_chat', chat_id: 5 }])
  })
})

test('a subscription ends with its component', async () => {
  const callback = vi.fn()
  const { scope } = inScope(() => useWebSocket().on('pong', callback))
  const socket = await connected()
  socket.deliver({ type: 'pong' })
  scope.stop()
  socket.deliver({ type: 'pong' })
  expect(callback).toHaveBeenCalledOnce()
})

describe('how a chat is joined', () => {
  test('is decided by a join, else by a joinSoftly, else join_chat is sent', async () => {
    const socket = await connected()
    const ways = []
    const join = () => ways.push('own')
    const joinSoftly = () => ways.push('softly')
    inScope(() => useChatWebSocket(5, { joinSoftly }))
    const own = inScope(() => useChatWebSocket(5, { join }))
    expect(ways).toEqual(['softly', 'own'])
    socket.deliver({ type: 'connected', user_id: 1 })
    expect(ways).toEqual(['softly', 'own', 'own'])
    own.scope.stop()
    socket.deliver({ type: 'connected', user_id: 1 })
    expect(ways.at(-1)).toBe('softly')
    expect(socket.sent).toEqual([])
    inScope(() => useChatWebSocket(6))
    expect(socket.sent).toEqual([{ type: 'join_chat', chat_id: 6 }])
  })
})
