import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RequestError } from '@/services/websocket'
import { createOutbox } from '@/timeline/outbox'
import { settle } from './fakeChat'

let outbox, requests, connected, callbacks, uploads, dropped, cancelled

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  requests = []
  callbacks = {}
  uploads = []
  dropped = []
  cancelled = []
  connected = true
  open()
})

afterEach(() => {
  outbox.dispose()
  outbox = null
  vi.useRealTimers()
})

function open() {
  outbox?.dispose()
  const request = (frame) => new Promise((resolve, reject) => requests.push({ frame, resolve, reject }))
  const on = (type, callback) => {
    callbacks[type] = callback
    return () => {}
  }
  /** Uploads one file after the other; the test ends each. */
  const upload = async (present, { onUploaded }) => {
    for (;;) {
      const next = present()?.find(({ uploadId }) => !uploadId)
      if (!next) return
      const id = await new Promise((resolve, reject) => uploads.push({ key: next.key, resolve, reject }))
      if (id) onUploaded(next.key, id)
    }
  }
  const files = {
    upload,
    cancel: (keys) => cancelled.push(...keys),
    drop: (keys) => dropped.push(...keys),
  }
  outbox = createOutbox({
    userId: 1,
    websocket: { request, on, state: { epoch: null }, isConnected: () => connected },
    storage: localStorage,
    files,
  })
}

const file = (key) => ({ key, name: `${key}.png`, type: 'image/png', size: 1 })
const under = () => requests.map(({ frame }) => frame.content)

async function uploaded(id) {
  uploads.shift().resolve(id)
  await settle()
}

async function refuse(error) {
  requests.shift().reject(new RequestError(error))
  await settle()
}

test('a message is sent when its files are uploaded, in their order', async () => {
  outbox.send(1, 'two', { files: [file('a'), file('b')] })
  expect(requests).toEqual([])
  await uploaded('A')
  expect(requests).toEqual([])
  await uploaded('B')
  expect(requests[0].frame).toMatchObject({ type: 'send_message', content: 'two', attachments: ['A', 'B'] })
  requests.shift().resolve({ message: {} })
  await settle()
  expect(outbox.entries).toEqual([])
  expect(dropped).toEqual(['a', 'b'])
})

test('texts that are written later do not wait for files, and not for files that have failed', async () => {
  outbox.send(1, 'with a file', { files: [file('a')] })
  outbox.send(1, 'later')
  expect(under()).toEqual(['later'])
  uploads.shift().reject({ code: 'too_large', file: file('a') })
  await settle()
  expect(outbox.entries[0]).toMatchObject({ state: 'failed', code: 'too_large', failedFile: 'a.png' })
  requests.shift().resolve({ message: {} })
  await settle()
  expect(outbox.entries).toHaveLength(1)
  expect(dropped).toEqual([])
})

test('what is uploaded is not uploaded again after a reload', async () => {
  outbox.send(1, 'two', { files: [file('a'), file('b')] })
  await uploaded('A')
  uploads = []
  open()
  expect(uploads.map(({ key }) => key)).toEqual(['b'])
  await uploaded('B')
  expect(requests[0].frame.attachments).toEqual(['A', 'B'])
})

test('without a connection it waits, and goes on with the next one', async () => {
  connected = false
  outbox.send(1, 'x', { files: [file('a')] })
  expect(uploads).toEqual([])
  connected = true
  callbacks.connected()
  await settle()
  uploads.shift().reject({ code: 'disconnected' })
  await settle()
  expect(outbox.entries[0].state).toBe('sending')
  callbacks.connected()
  await settle()
  await uploaded('A')
  expect(under()).toEqual(['x'])
})

test('uploads that the server has removed are made again, once', async () => {
  const gone = { code: 'invalid', fields: { attachments: 'no such upload' } }
  outbox.send(1, 'x', { files: [file('a')] })
  await uploaded('old')
  await refuse(gone)
  expect(uploads.map(({ key }) => key)).toEqual(['a'])
  await uploaded('new')
  expect(requests[0].frame.attachments).toEqual(['new'])
  await refuse(gone)
  expect(outbox.entries[0]).toMatchObject({ state: 'failed', code: 'invalid' })
})

test('a retry uploads only what is missing', async () => {
  outbox.send(1, 'x', { files: [file('a'), file('b')] })
  await uploaded('A')
  uploads.shift().reject({ code: 'network', file: file('b') })
  await settle()
  outbox.retry(outbox.entries[0].clientId)
  expect(outbox.entries[0].failedFile).toBeUndefined()
  expect(uploads.map(({ key }) => key)).toEqual(['b'])
  await uploaded('B')
  expect(requests[0].frame.attachments).toEqual(['A', 'B'])
})

test('a file can be left out while it is uploaded', async () => {
  outbox.send(1, '', { files: [file('a'), file('b')] })
  const { clientId } = outbox.entries[0]
  outbox.leaveOut(clientId, 'a')
  expect([cancelled, dropped]).toEqual([['a'], ['a']])
  await uploaded(null) // the cancelled one
  await uploaded('B')
  expect(requests[0].frame.attachments).toEqual(['B'])
})

test('a message that failed because of a file is sent when the user leaves a file out', async () => {
  outbox.send(1, 'x', { files: [file('a'), file('b')] })
  uploads.shift().reject({ code: 'invalid', file: file('a') })
  await settle()
  expect(outbox.entries[0].state).toBe('failed')
  outbox.leaveOut(outbox.entries[0].clientId, 'a')
  expect(outbox.entries[0]).toMatchObject({ state: 'sending', files: [file('b')] })
  await uploaded('B')
  expect(requests[0].frame.attachments).toEqual(['B'])
})

test('without its last file a message without text goes, one with text is sent', async () => {
  outbox.send(1, '', { files: [file('a')] })
  outbox.leaveOut(outbox.entries[0].clientId, 'a')
  expect(outbox.entries).toEqual([])
  expect(localStorage.length).toBe(0)
  outbox.send(2, 'text', { files: [file('b')] })
  outbox.leaveOut(outbox.entries[0].clientId, 'b')
  expect(under()).toEqual(['text'])
  expect(requests[0].frame).not.toHaveProperty('attachments')
})

test('a discarded message ends its uploads and forgets its files, one that is taken back keeps them', async () => {
  outbox.send(1, 'x', { files: [file('a')] })
  expect(outbox.takeBack(outbox.entries[0].clientId).files).toEqual([file('a')])
  expect([cancelled, dropped]).toEqual([['a'], []])
  outbox.send(1, 'y', { files: [file('b')] })
  outbox.discard(outbox.entries[0].clientId)
  expect([cancelled, dropped]).toEqual([['a', 'b'], ['b']])
  await uploaded('A')
  expect(requests).toEqual([])
})

test('the end of the outbox ends the uploads and keeps the messages', async () => {
  outbox.send(1, 'x', { files: [file('a'), file('b')] })
  outbox.dispose()
  expect([cancelled, dropped]).toEqual([['a', 'b'], []])
  await uploaded(null)
  expect(uploads).toEqual([])
  open()
  expect(uploads.map(({ key }) => key)).toEqual(['a'])
})

test('an entry that another tab has sent keeps no files for itself', async () => {
  outbox.send(1, 'x', { files: [file('a')] })
  const key = localStorage.key(0)
  window.dispatchEvent(new StorageEvent('storage', { key, oldValue: '{}', newValue: null }))
  expect(outbox.entries).toEqual([])
  expect(cancelled).toEqual(['a'])
  expect(dropped).toEqual([])
})
