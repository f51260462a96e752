import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import singleton, { createWebSocket, delayMs } from '@/services/websocket'
import { FakeSocket } from './fakeSocket'

let websocket
let log

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  FakeSocket.all = []
  log = vi.spyOn(console, 'log').mockReturnValue()
  websocket = createWebSocket({ url: 'ws://chat.test/ws', random: () => 1 })
})

afterEach(() => {
  websocket.disconnect()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

async function connected(token = 'T') {
  websocket.connect(token)
  await vi.advanceTimersByTimeAsync(0)
  return FakeSocket.last.accept()
}

const lines = () => log.mock.calls.map((args) => args[0])

describe('connecting', () => {
  test('the service is in the console', () => {
    expect(window.websocket).toBe(singleton)
    expect(window.websocket.isConnected()).toBe(false)
  })

  test('the token is in the address, escaped', async () => {
    await connected('a+b/c&d')
    expect(FakeSocket.last.url).toBe('ws://chat.test/ws?token=a%2Bb%2Fc%26d')
  })

  test('without a configured address it is the page’s own', async () => {
    const other = createWebSocket()
    other.connect('T')
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.last.url).toBe(`${window.location.origin.replace('http', 'ws')}/ws?token=T`)
    other.disconnect()
  })

  test('the frame connected counts, not the open socket', async () => {
    websocket.connect('T')
    await vi.advanceTimersByTimeAsync(0)
    FakeSocket.last.readyState = FakeSocket.OPEN
    expect(websocket.isConnected()).toBe(false)
    expect(websocket.send({ type: 'ping' })).toBe(false)
    FakeSocket.last.accept(7)
    expect(websocket.isConnected()).toBe(true)
    expect(websocket.state.userId).toBe(7)
    expect(websocket.send({ type: 'typing', chat_id: 1, is_typing: true })).toBe(true)
    expect(FakeSocket.last.sent).toEqual([{ type: 'typing', chat_id: 1, is_typing: true }])
  })

  test('connecting twice opens one connection', async () => {
    await connected()
    websocket.connect()
    websocket.connect('T')
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('another token opens another connection and ends the first', async () => {
    const first = await connected('A')
    await connected('B')
    expect(FakeSocket.all.map((socket) => socket.token)).toEqual(['A', 'B'])
    expect(first.closedWith).toBe(1000)
    first.deliver({ type: 'pong' })
    first.end(1006)
    expect(websocket.isConnected()).toBe(true)
  })

  test('disconnecting while the token is loading opens nothing', async () => {
    let give
    websocket.connect(() => new Promise((resolve) => (give = resolve)))
    websocket.disconnect()
    give('T')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.all).toEqual([])
    expect(websocket.state.status).toBe('closed')
  })

  test('without a token it fails and says why', async () => {
    websocket.connect()
    await vi.advanceTimersByTimeAsync(0)
    expect(websocket.state).toMatchObject({ status: 'failed', code: 4401, reason: 'no token' })
  })

  test('an attempt without connected is repeated', async () => {
    websocket.connect('T')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(FakeSocket.last.closedWith).toBe(4408)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(FakeSocket.all).toHaveLength(2)
  })
})

describe('the lines in the console', () => {
  test('are those of the document', async () => {
    const socket = await connected()
    socket.end(1006, 'gone')
    expect(lines()).toEqual([
      '📨 WebSocket message:',
      '✅ WebSocket connected',
      'WebSocket closed:',
      'Reconnecting...',
    ])
    expect(log.mock.calls[0][1]).toMatchObject({ type: 'connected', user_id: 1 })
    expect(log.mock.calls[2]).toEqual(['WebSocket closed:', 1006, 'gone'])
  })

  test('never contain the token', async () => {
    const socket = await connected('SECRET')
    socket.end(1006)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(JSON.stringify(log.mock.calls)).not.toContain('SECRET')
  })
})

describe('reconnecting', () => {
  test('waits twice as long each time, and up to half of that less', () => {
    expect([1, 2, 3, 4, 5].map((attempt) => delayMs(attempt, () => 1))).toEqual([
      1000, 2000, 4000, 8000, 16000,
    ])
    expect([1, 2, 3, 4, 5].map((attempt) => delayMs(attempt, () => 0))).toEqual([500, 1000, 2000, 4000, 8000])
    expect(new Set(Array.from({ length: 20 }, () => delayMs(5))).size).toBeGreaterThan(10)
  })

  test('five attempts, then it waits for retry()', async () => {
    const socket = await connected()
    await vi.advanceTimersByTimeAsync(5_000)
    socket.end()
    for (const [index, waitMs] of [1000, 2000, 4000, 8000, 16000].entries()) {
      expect(websocket.state).toMatchObject({
        status: 'waiting',
        attempt: index + 1,
        maxAttempts: 5,
        retryAt: Date.now() + waitMs,
      })
      await vi.advanceTimersByTimeAsync(waitMs - 1)
      expect(FakeSocket.all).toHaveLength(index + 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(FakeSocket.all).toHaveLength(index + 2)
      FakeSocket.last.end()
    }
    expect(websocket.state).toMatchObject({ status: 'failed', attempt: 5, retryAt: null })
    await vi.advanceTimersByTimeAsync(600_000)
    expect(FakeSocket.all).toHaveLength(6)
    websocket.retry()
    await vi.advanceTimersByTimeAsync(0)
    FakeSocket.last.accept()
    expect(websocket.isConnected()).toBe(true)
  })

  test('after the last attempt a network begins again', async () => {
    await connected()
    for (let drops = 0; drops < 6; drops++) {
      FakeSocket.last.end()
      await vi.advanceTimersByTimeAsync(16_000)
    }
    expect(websocket.state.status).toBe('failed')
    window.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(0)
    FakeSocket.last.accept()
    expect(websocket.isConnected()).toBe(true)
  })

  test('a stable connection resets the attempts', async () => {
    await connected()
    for (let drops = 0; drops < 20; drops++) {
      await vi.advanceTimersByTimeAsync(5_000)
      FakeSocket.last.end()
      expect(websocket.state.attempt).toBe(1)
      await vi.advanceTimersByTimeAsync(1_000)
      FakeSocket.last.accept()
    }
  })

  test('a server that ends each connection at once uses up the attempts', async () => {
    await connected()
    for (let drops = 0; drops < 6; drops++) {
      FakeSocket.last.end(1013)
      await vi.advanceTimersByTimeAsync(16_000)
      if (websocket.state.status === 'connecting') FakeSocket.last.accept()
    }
    expect(websocket.state.status).toBe('failed')
    expect(FakeSocket.all).toHaveLength(6)
  })

  test('a server that goes away says when to come back', async () => {
    const socket = await connected()
    socket.end(1001, '{"retry_in_ms":3210}')
    await vi.advanceTimersByTimeAsync(3_209)
    expect(FakeSocket.all).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test.each(['', 'bye', '{}', '{"retry_in_ms":"1"}', '{"retry_in_ms":-1}', 'null'])(
    'a going away that says %j is a drop like others',
    async (reason) => {
      const socket = await connected()
      socket.end(1001, reason)
      await vi.advanceTimersByTimeAsync(1_000)
      expect(FakeSocket.all).toHaveLength(2)
    },
  )

  test.each([1008, 1009, 4403, 4429])('%i is final', async (code) => {
    const socket = await connected()
    socket.end(code, 'no')
    expect(websocket.state).toMatchObject({ status: 'failed', code, reason: 'no' })
    await vi.advanceTimersByTimeAsync(60_000)
    window.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('a network makes the next attempt at once', async () => {
    const socket = await connected()
    socket.end()
    window.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.all).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('disconnecting ends the attempts', async () => {
    const socket = await connected()
    socket.end()
    websocket.disconnect()
    window.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.all).toHaveLength(1)
    expect(websocket.state.status).toBe('closed')
  })

  test('callbacks get states, which are frozen', async () => {
    const states = []
    const end = websocket.onState((state) => states.push(state.status))
    const socket = await connected()
    socket.end()
    end()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(states.filter((status, index) => status !== states[index - 1])).toEqual([
      'idle',
      'connecting',
      'connected',
      'waiting',
    ])
    expect(Object.isFrozen(websocket.state)).toBe(true)
  })
})

describe('tokens', () => {
  test('a function is called at each attempt', async () => {
    let number = 0
    await connected(() => `T${++number}`)
    FakeSocket.last.end()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(FakeSocket.all.map((socket) => socket.token)).toEqual(['T1', 'T2'])
  })

  test('a bad token is replaced once, at once', async () => {
    const source = vi.fn(({ fresh }) => (fresh ? 'new' : 'old'))
    websocket.connect(source)
    await vi.advanceTimersByTimeAsync(0)
    FakeSocket.last.end(4401)
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.all.map((socket) => socket.token)).toEqual(['old', 'new'])
    FakeSocket.last.end(4401)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.all).toHaveLength(2)
    expect(websocket.state).toMatchObject({ status: 'failed', code: 4401 })
  })

  test('a token that has expired is replaced each time', async () => {
    await connected(({ fresh }) => (fresh ? 'new' : 'old'))
    for (let times = 0; times < 3; times++) {
      FakeSocket.last.end(4401)
      await vi.advanceTimersByTimeAsync(0)
      FakeSocket.last.accept()
    }
    expect(FakeSocket.all.map((socket) => socket.token)).toEqual(['old', 'new', 'new', 'new'])
  })

  test('a fixed token that is bad fails', async () => {
    const socket = await connected('T')
    socket.end(4401, 'expired')
    expect(websocket.state).toMatchObject({ status: 'failed', code: 4401, reason: 'expired' })
  })

  test('a function that throws fails', async () => {
    websocket.connect(() => Promise.reject(new Error('logged out')))
    await vi.advanceTimersByTimeAsync(0)
    expect(websocket.state).toMatchObject({ status: 'failed', reason: 'no token: logged out' })
  })

  test('a token that ends soon is replaced on the connection', async () => {
    const socket = await connected(({ fresh }) => (fresh ? 'new' : 'old'))
    socket.deliver({ type: 'token_expiring', expires_in: 60 })
    await vi.advanceTimersByTimeAsync(0)
    expect(socket.sent).toEqual([{ type: 'refresh_token', token: 'new', id: 'r1' }])
    socket.deliver({ type: 'ack', id: 'r1', ok: true })
    expect(FakeSocket.all).toHaveLength(1)
  })
})

describe('the heartbeat', () => {
  test('pings a silent server and takes any frame for a pong', async () => {
    const socket = await connected()
    await vi.advanceTimersByTimeAsync(25_000)
    expect(socket.sent).toEqual([{ type: 'ping' }])
    socket.deliver({ type: 'pong' })
    await vi.advanceTimersByTimeAsync(20_000)
    socket.deliver({ type: 'user_offline', user_id: 2 })
    await vi.advanceTimersByTimeAsync(24_999)
    expect(socket.sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(socket.sent).toHaveLength(2)
  })

  test('gives up a server that does not answer', async () => {
    const socket = await connected()
    await vi.advanceTimersByTimeAsync(34_999)
    expect(websocket.isConnected()).toBe(true)
    await vi.advanceTimersByTimeAsync(1)
    expect(socket.closedWith).toBe(4408)
    expect(websocket.state).toMatchObject({ status: 'waiting', code: 4408, attempt: 1 })
    socket.end(1006) // the browser notices it too
    expect(websocket.state).toMatchObject({ code: 4408, attempt: 1 })
  })
})

describe('subscriptions', () => {
  test('get the frames of their type, and with * all', async () => {
    const seen = []
    websocket.on('typing', (frame) => seen.push(['typing', frame.user_id]))
    websocket.on('*', (frame) => seen.push(['*', frame.type]))
    const socket = await connected()
    socket.deliver({ type: 'typing', user_id: 2 })
    expect(seen).toEqual([
      ['*', 'connected'],
      ['typing', 2],
      ['*', 'typing'],
    ])
  })

  test('can end while callbacks run', async () => {
    const seen = []
    const ends = []
    websocket.on('pong', () => {
      seen.push('a')
      ends[1]()
    })
    ends[0] = websocket.on('pong', () => {
      seen.push('b')
      ends[0]()
    })
    ends[1] = websocket.on('pong', () => seen.push('c'))
    websocket.on('pong', () => seen.push('d'))
    const socket = await connected()
    socket.deliver({ type: 'pong' })
    socket.deliver({ type: 'pong' })
    expect(seen.join('')).toBe('abdad')
  })

  test('the same callback twice is two subscriptions, each with an end', async () => {
    const callback = vi.fn()
    const end = websocket.on('pong', callback)
    websocket.on('pong', callback)
    end()
    end()
    const socket = await connected()
    socket.deliver({ type: 'pong' })
    expect(callback).toHaveBeenCalledTimes(1)
    websocket.off('pong', callback)
    socket.deliver({ type: 'pong' })
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('a callback that throws does not affect the others', async () => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    const callback = vi.fn()
    websocket.on('pong', () => {
      throw new Error('mine')
    })
    websocket.on('pong', callback)
    const socket = await connected()
    socket.deliver({ type: 'pong' })
    expect(callback).toHaveBeenCalledOnce()
    expect(error).toHaveBeenCalledOnce()
  })

  test('a message that is not JSON is logged and ignored', async () => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    const socket = await connected()
    socket.deliver('{')
    expect(error).toHaveBeenCalledOnce()
    expect(websocket.isConnected()).toBe(true)
  })

  test('last over a reconnect', async () => {
    const callback = vi.fn()
    websocket.on('pong', callback)
    const socket = await connected()
    socket.end()
    await vi.advanceTimersByTimeAsync(1_000)
    FakeSocket.last.accept().deliver({ type: 'pong' })
    expect(callback).toHaveBeenCalledOnce()
  })
})

describe('requests', () => {
  test('resolve with their ack, in any order', async () => {
    const socket = await connected()
    const first = websocket.request({ type: 'join_chat', chat_id: 1 })
    const second = websocket.request({ type: 'join_chat', chat_id: 2 })
    const [{ id: a }, { id: b }] = socket.sent
    socket.deliver({ type: 'ack', id: b, ok: true, chat_id: 2 })
    socket.deliver({ type: 'ack', id: a, ok: true, chat_id: 1 })
    expect([(await first).chat_id, (await second).chat_id]).toEqual([1, 2])
  })

  test('reject with the server’s error', async () => {
    const socket = await connected()
    const request = websocket.request({ type: 'send_message', chat_id: 1, content: '' })
    const [{ id }] = socket.sent
    socket.deliver({
      type: 'error',
      id,
      code: 'rate_limited',
      message: 'slow',
      retryable: true,
      retry_after_ms: 20,
    })
    await expect(request).rejects.toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs: 20 })
  })

  test('reject when the connection is lost, or not there', async () => {
    const socket = await connected()
    const request = websocket.request({ type: 'ping' })
    socket.end()
    await expect(request).rejects.toMatchObject({ code: 'disconnected', retryable: true })
    await expect(websocket.request({ type: 'ping' })).rejects.toMatchObject({ code: 'disconnected' })
  })

  test('reject after the timeout', async () => {
    const socket = await connected()
    const request = websocket.request({ type: 'ping' }, { timeoutMs: 500 })
    const refused = expect(request).rejects.toMatchObject({ code: 'timeout', retryable: true })
    await vi.advanceTimersByTimeAsync(500)
    await refused
    socket.deliver({ type: 'ack', id: socket.sent[0].id, ok: true }) // too late
  })
})
