import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RequestError } from '@/services/websocket'
import { createOutbox } from '@/timeline/outbox'
import { settle } from './fakeChat'

let outbox, requests, connected, callbacks, sent, state

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  requests = []
  callbacks = {}
  sent = []
  connected = true
  state = { epoch: null }
  open()
})

afterEach(() => {
  outbox.dispose()
  vi.useRealTimers()
})

function open() {
  outbox?.dispose()
  const request = (frame) => new Promise((resolve, reject) => requests.push({ frame, resolve, reject }))
  const on = (type, callback) => {
    callbacks[type] = callback
    return () => {}
  }
  const websocket = { request, on, state, isConnected: () => connected }
  const onSent = (message) => sent.push(message.content)
  outbox = createOutbox({ userId: 1, websocket, storage: localStorage, onSent })
}

const under = () => requests.map(({ frame }) => frame.content)
const states = () =>
  outbox.entries.map(({ content, state, code }) => [content, state, ...(code ? [code] : [])])

async function ack() {
  const { frame, resolve } = requests.shift()
  resolve({ ok: true, message: { content: frame.content } })
  await settle()
}

async function refuse(error) {
  requests.shift().reject(new RequestError(error))
  await settle()
}

async function breakOff() {
  connected = false
  for (const { reject } of requests.splice(0))
    reject(new RequestError({ code: 'disconnected', retryable: true }))
  await settle()
}

async function comeBack() {
  connected = true
  callbacks.connected()
  await settle()
}

test('sends one after the other in a chat, and two chats in parallel', async () => {
  outbox.send(1, 'a')
  outbox.send(1, 'b')
  outbox.send(2, 'other')
  expect(under()).toEqual(['a', 'other'])
  await ack()
  expect(under()).toEqual(['other', 'b'])
  expect(sent).toEqual(['a'])
  expect(states()).toEqual([
    ['b', 'sending'],
    ['other', 'sending'],
  ])
})

test('repeats after a lost connection, in order, with the same client_id', async () => {
  outbox.send(1, 'a', { replyTo: 5 })
  outbox.send(1, 'b')
  const { client_id } = requests[0].frame
  await breakOff()
  outbox.send(1, 'c')
  expect(requests).toEqual([])
  await comeBack()
  expect(requests[0].frame).toEqual({
    type: 'send_message',
    chat_id: 1,
    content: 'a',
    client_id,
    reply_to: 5,
  })
  await ack()
  await ack()
  await ack()
  expect(sent).toEqual(['a', 'b', 'c'])
  expect(outbox.entries).toEqual([])
  expect(localStorage.length).toBe(0)
})

test('outlives the page, for its user only', async () => {
  connected = false
  for (const content of ['a', 'b', 'c']) outbox.send(1, content)
  connected = true
  open()
  await ack()
  await ack()
  await ack()
  expect(sent).toEqual(['a', 'b', 'c'])
})

test('waits for retry_after_ms, and keeps the order', async () => {
  outbox.send(1, 'a')
  outbox.send(1, 'b')
  await refuse({ code: 'rate_limited', retryable: true, retry_after_ms: 700 })
  expect(outbox.entries[0].retryAt).toBe(Date.now() + 700)
  await vi.advanceTimersByTimeAsync(699)
  expect(requests).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(under()).toEqual(['a'])
})

test('waits longer after each failure of the server', async () => {
  outbox.send(1, 'a')
  for (const wait of [1000, 2000, 4000, 8000, 10000]) {
    await refuse({ code: 'unavailable', retryable: true })
    await vi.advanceTimersByTimeAsync(wait - 1)
    expect(requests).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(under()).toEqual(['a'])
  }
})

test('a refused message waits for the user, the others are sent', async () => {
  outbox.send(1, 'a')
  outbox.send(1, 'b')
  await refuse({ code: 'forbidden' })
  expect(states()).toEqual([
    ['a', 'failed', 'forbidden'],
    ['b', 'sending'],
  ])
  outbox.retry(outbox.entries[0].clientId)
  await ack()
  await ack()
  expect(sent).toEqual(['b', 'a'])

  outbox.send(1, 'c')
  await refuse({ code: 'invalid' })
  open()
  expect(states()).toEqual([['c', 'failed', 'invalid']])
  outbox.discard(outbox.entries[0].clientId)
  expect(localStorage.length).toBe(0)
})

test('the own event counts as the ack', async () => {
  outbox.send(1, 'a')
  const { client_id } = requests[0].frame
  callbacks.new_message({ message: { sender_id: 2, client_id } })
  expect(states()).toEqual([['a', 'sending']])
  callbacks.new_message({ message: { sender_id: 1, client_id } })
  expect(states()).toEqual([])
  await breakOff()
  await comeBack()
  expect(requests).toEqual([])
})

test('what another tab has sent or discarded disappears', () => {
  outbox.send(1, 'a')
  const key = localStorage.key(0)
  window.dispatchEvent(new StorageEvent('storage', { key, oldValue: '{}', newValue: null }))
  expect(states()).toEqual([])
})

test('a message is sent although the storage is full', async () => {
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError')
  })
  outbox.send(1, 'a')
  await ack()
  expect(sent).toEqual(['a'])
  vi.restoreAllMocks()
})

test('a refused reply is retried without the message that it answers', async () => {
  outbox.send(1, 'a', { replyTo: 5 })
  await refuse({ code: 'invalid', fields: { reply_to: 'no such message' } })
  expect(outbox.entries[0]).toMatchObject({ state: 'failed', replyTo: 5, hasLostReply: true })
  outbox.retry(outbox.entries[0].clientId)
  expect(requests[0].frame).not.toHaveProperty('reply_to')
  await ack()
  expect(sent).toEqual(['a'])

  outbox.send(1, 'b', { replyTo: 5 })
  await refuse({ code: 'forbidden' })
  outbox.retry(outbox.entries[0].clientId)
  expect(requests[0].frame.reply_to).toBe(5)
})

test('stores nothing after its end', async () => {
  outbox.send(1, 'a')
  outbox.dispose()
  localStorage.clear() // by a logout
  await refuse({ code: 'forbidden' })
  expect(localStorage.length).toBe(0)
})

test('after a restored backup what was not sent waits for the user, who sends it without its answer', async () => {
  state.epoch = 'e1'
  connected = false
  outbox.send(7, 'to the chat of before', { replyTo: 5 })
  open() // the page is loaded again
  state.epoch = 'e2'
  connected = true
  callbacks.connected()
  await settle()
  expect(requests).toEqual([])
  expect(states()).toEqual([['to the chat of before', 'failed', 'restored']])
  outbox.send(7, 'to the chat of now')
  await settle()
  expect(under()).toEqual(['to the chat of now'])
  await ack()
  outbox.retry(outbox.entries[0].clientId)
  await settle()
  expect(requests[0].frame).not.toHaveProperty('reply_to')
  await ack()
  expect(sent).toEqual(['to the chat of now', 'to the chat of before'])
  expect([outbox.entries.length, localStorage.length]).toEqual([0, 0])
})
