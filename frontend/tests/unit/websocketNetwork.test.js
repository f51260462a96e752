/** The service with a lost or silent network; and where the token is sent. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createWebSocket } from '@/services/websocket'
import { FakeSocket } from './fakeSocket'

let websocket, socket

beforeEach(async () => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  FakeSocket.all = []
  vi.spyOn(console, 'log').mockReturnValue()
  websocket = createWebSocket({ url: 'ws://chat.test/ws', random: () => 1 })
  websocket.connect('T')
  await later(0)
  socket = FakeSocket.last.accept()
})

afterEach(() => {
  websocket.disconnect()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const later = (ms) => vi.advanceTimersByTimeAsync(ms)
const happens = (type) => window.dispatchEvent(new Event(type))

describe('without a network', () => {
  test('the state says so at once, and the connection ends if no frame comes', async () => {
    happens('offline')
    expect(websocket.state).toMatchObject({ isOffline: true, status: 'connected' })
    expect(socket.sent).toEqual([{ type: 'ping' }])
    await later(4_100)
    expect(websocket.state).toMatchObject({ isOffline: true, status: 'waiting' })
    happens('online')
    expect(websocket.state).toMatchObject({ isOffline: false, status: 'connecting' })
  })

  test('a server on the same machine still answers', async () => {
    happens('offline')
    socket.deliver({ type: 'pong' })
    expect(websocket.state).toMatchObject({ isOffline: false, status: 'connected' })
    await later(20_000)
    expect(websocket.isConnected()).toBe(true)
  })

  test('nothing happens after disconnect()', () => {
    websocket.disconnect()
    happens('offline')
    expect(websocket.state.isOffline).toBe(false)
  })
})

describe('a request without an answer', () => {
  const ask = () => websocket.request({ type: 'send_message' }).catch((error) => error.code)

  test('sends a ping, and then reconnects soon', async () => {
    const asked = ask()
    await later(2_900)
    expect(socket.sent).toHaveLength(1)
    await later(200)
    expect(socket.sent.at(-1)).toEqual({ type: 'ping' })
    await later(4_000)
    expect(await asked).toBe('disconnected')
    expect(websocket.state.status).toBe('waiting')
  })

  test('of a slow server is waited for', async () => {
    const asked = ask()
    await later(3_100)
    socket.deliver({ type: 'pong' })
    await later(6_000)
    expect(websocket.isConnected()).toBe(true)
    socket.deliver({ type: 'ack', id: 'r1', ok: true })
    expect(await asked).toMatchObject({ ok: true })
  })

  test('sends no ping once the answer has come', async () => {
    const asked = ask()
    socket.deliver({ type: 'ack', id: 'r1', ok: true })
    await asked
    await later(20_000)
    expect(socket.sent).toHaveLength(1)
  })
})

test('retry with once makes one attempt', async () => {
  for (let attempt = 0; attempt <= 5; attempt++) {
    FakeSocket.last.end()
    await later(16_000)
  }
  const before = FakeSocket.all.length
  websocket.retry({ once: true })
  await later(0)
  FakeSocket.last.end()
  await later(60_000)
  expect([FakeSocket.all.length, websocket.state.status]).toEqual([before + 1, 'failed'])
  websocket.retry()
  await later(0)
  FakeSocket.last.end()
  expect(websocket.state).toMatchObject({ status: 'waiting', attempt: 1 })
})

describe('the token', () => {
  const made = vi.fn()
  beforeEach(() => {
    made.mockClear()
    vi.stubGlobal(
      'WebSocket',
      class extends FakeSocket {
        constructor(...args) {
          super(args[0])
          made(...args)
        }
      },
    )
  })

  test('is in the address by default', async () => {
    websocket.connect('A.b_c-d')
    await later(0)
    expect(made.mock.calls).toEqual([['ws://chat.test/ws?token=A.b_c-d']])
  })

  test('is sent as a subprotocol if wanted, each time', async () => {
    websocket.connect('A.b_c-d', { tokenIn: 'subprotocol' })
    await later(0)
    FakeSocket.last.end()
    await later(1_000)
    const call = ['ws://chat.test/ws', ['bearer', 'A.b_c-d']]
    expect(made.mock.calls).toEqual([call, call])
  })

  test('that cannot be a subprotocol stays in the address', async () => {
    websocket.connect('a/b c', { tokenIn: 'subprotocol' })
    await later(0)
    expect(made.mock.calls).toEqual([['ws://chat.test/ws?token=a%2Fb%20c']])
  })
})
