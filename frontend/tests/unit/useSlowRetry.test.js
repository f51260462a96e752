import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useSlowRetry } from '@/composables/useSlowRetry'
import websocket from '@/services/websocket'
import { FakeSocket } from './fakeSocket'

let wrapper

beforeEach(async () => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.spyOn(console, 'log').mockReturnValue()
  FakeSocket.all = []
  wrapper = mount({ setup: () => useSlowRetry(() => 0.5), render: () => null })
  websocket.connect('T')
  await later(0)
})

afterEach(() => {
  wrapper.unmount()
  websocket.disconnect()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const later = (ms) => vi.advanceTimersByTimeAsync(ms)

async function fail(code = 1006) {
  FakeSocket.last.end(code)
  await later(0)
}

/** Uses up the attempts of the service. */
async function giveUp() {
  for (let attempt = 0; websocket.state.status !== 'failed'; attempt++) {
    expect(attempt).toBeLessThan(9)
    if (attempt) await later((websocket.state.retryAt ?? 0) - Date.now())
    await fail()
  }
  expect(websocket.state.status).toBe('failed')
}

test('after the last attempt there is one at a time, until one succeeds', async () => {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
  await giveUp()
  for (let round = 0; round < 4; round++) {
    const before = FakeSocket.all.length
    await later(45_100)
    expect([FakeSocket.all.length, websocket.state.status]).toEqual([before + 1, 'connecting'])
    await fail()
    expect(websocket.state.status).toBe('failed') // one attempt, and not five
  }
  await later(45_100)
  FakeSocket.last.accept()
  await later(10_000)
  await fail()
  expect(websocket.state).toMatchObject({ status: 'waiting', attempt: 1 })
})

test('each waits for a random time of 30 to 60 s', async () => {
  wrapper.unmount()
  for (const [random, waitMs] of [
    [0, 30_000],
    [0.999, 59_970],
  ]) {
    wrapper = mount({ setup: () => useSlowRetry(() => random), render: () => null })
    await giveUp()
    const before = FakeSocket.all.length
    await later(waitMs - 100)
    expect(FakeSocket.all.length).toBe(before)
    await later(200)
    expect(FakeSocket.all.length).toBe(before + 1)
    wrapper.unmount()
    websocket.disconnect()
    websocket.connect(`T${random}`)
    await later(0)
  }
})

test('a network is a reason to try at once, in a hidden tab too', async () => {
  await giveUp()
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
  window.dispatchEvent(new Event('online'))
  await later(0)
  expect(websocket.state.status).toBe('connecting')
})

test.each([1008, 1009, 4401, 4403])('does not retry after a final close code: %i', async (code) => {
  FakeSocket.last.accept()
  await fail(code)
  const before = FakeSocket.all.length
  await later(300_000)
  expect(FakeSocket.all.length).toBe(before)
})

test('ends with its component', async () => {
  await giveUp()
  wrapper.unmount()
  const before = FakeSocket.all.length
  await later(300_000)
  expect(FakeSocket.all.length).toBe(before)
})
