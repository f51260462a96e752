import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

let requests, uploads, fileStore, server, websocket, progress, present, done

/** Requests that the test answers. */
class FakeRequest {
  upload = {}
  headers = {}
  constructor() {
    requests.push(this)
  }
  open(method, url) {
    Object.assign(this, { method, url })
  }
  setRequestHeader(name, value) {
    this.headers[name] = value
  }
  send(body) {
    this.body = body
  }
  abort() {
    this.isAborted = true
    this.onabort()
  }
  answer(status, body) {
    Object.assign(this, { status, responseText: JSON.stringify(body) })
    this.onload()
  }
}

class FakeForm {
  append(part, file, name) {
    Object.assign(this, { part, file, name })
  }
}

const refusal = (code, more) => ({ error: { code, message: code, ...more } })
const file = (key, size = 5) => ({ key, name: `${key}.txt`, type: 'text/plain', size })
const turn = () => vi.advanceTimersByTimeAsync(0)

beforeEach(async () => {
  vi.useFakeTimers()
  vi.resetModules()
  vi.stubGlobal('XMLHttpRequest', FakeRequest)
  vi.stubGlobal('FormData', FakeForm)
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  localStorage.clear()
  setActivePinia(createPinia())
  requests = []
  const tokens = await import('@/services/tokens')
  tokens.begin({ access_token: 'T', refresh_token: 'R', expires_in: 3600, user: { id: 1 } })
  ;({ default: websocket } = await import('@/services/websocket'))
  vi.spyOn(websocket, 'isConnected').mockReturnValue(true)
  fileStore = await import('@/services/fileStore')
  uploads = await import('@/files/uploads')
  ;({ progress } = await import('@/files/progress'))
  const { useServer } = await import('@/stores/server')
  server = useServer()
  server.info = { registration: 'open', setup_needed: false, max_upload_bytes: 10 }
  done = []
})

afterEach(async () => {
  await fileStore.forgetFiles(() => true)
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

/** Uploads files that the page holds. */
async function begin(...files) {
  present = files
  for (const { key, size } of files) await fileStore.keepFile(1, key, new Blob(['x'.repeat(size)]))
  const ended = uploads.uploadAll(1, () => present, {
    name: 'the message',
    onUploaded(key, uploadId) {
      done.push(`${key} ${uploadId}`)
      present = present.map((one) => (one.key === key ? { ...one, uploadId } : one))
    },
  })
  const outcome = ended.then(
    () => 'done',
    (error) => `${error.code} ${error.file?.name ?? ''}`.trim(),
  )
  await turn()
  return { outcome }
}

test('uploads one file after the other, and says how far each is', async () => {
  const { outcome } = await begin(file('a'), file('b'))
  expect(requests).toHaveLength(1)
  const [first] = requests
  expect([first.method, first.url, first.headers.Authorization]).toEqual(['POST', '/api/uploads', 'Bearer T'])
  expect(first.body.name).toBe('a.txt')
  expect([...progress]).toEqual([['a', 0]])
  first.upload.onprogress({ loaded: 3, total: 6 })
  expect(progress.get('a')).toBe(0.5)
  first.answer(201, { id: 'A' })
  await turn()
  expect([...progress]).toEqual([['b', 0]])
  requests[1].answer(201, { id: 'B' })
  await turn()
  expect(await outcome).toBe('done')
  expect(done).toEqual(['a A', 'b B'])
  expect([...progress]).toEqual([])
})

test('a refused file ends the message, and is named', async () => {
  const { outcome } = await begin(file('a'), file('b'))
  requests[0].answer(422, refusal('invalid'))
  expect(await outcome).toBe('invalid a.txt')
  expect(requests).toHaveLength(1)
})

test.each([
  [5, 'over_quota a.txt'],
  [11, 'too_large a.txt'],
])('a file of %i bytes that is too large: %s', async (size, failure) => {
  const { outcome } = await begin(file('a', size))
  requests[0].answer(413, refusal('too_large'))
  expect(await outcome).toBe(failure)
})

test('a proxy that takes less than the server is not asked again', async () => {
  const { outcome } = await begin(file('a'))
  requests[0].answer(413, undefined)
  expect(await outcome).toBe('too_large a.txt')
  expect(requests).toHaveLength(1)
})

test('failures that may pass are repeated, but not for ever', async () => {
  const { outcome } = await begin(file('a'))
  for (const wait of [1000, 2000, 4000, 8000, 10_000]) {
    requests.at(-1).onerror()
    await vi.advanceTimersByTimeAsync(wait - 1)
    const count = requests.length
    await vi.advanceTimersByTimeAsync(1)
    expect(requests).toHaveLength(count + 1)
  }
  requests.at(-1).onerror()
  expect(await outcome).toBe('network a.txt')
})

test('a server that asks to wait is waited for', async () => {
  const { outcome } = await begin(file('a'))
  for (let time = 0; time < 8; time++) {
    requests.at(-1).answer(429, refusal('rate_limited', { retry_after_ms: 500 }))
    await vi.advanceTimersByTimeAsync(500)
  }
  requests.at(-1).answer(201, { id: 'A' })
  expect(await outcome).toBe('done')
})

test('without a connection it leaves off', async () => {
  const { outcome } = await begin(file('a'))
  websocket.isConnected.mockReturnValue(false)
  requests[0].onerror()
  expect(await outcome).toBe('disconnected')
})

test('an upload of which nothing goes out any more has failed', async () => {
  await begin(file('a'))
  await vi.advanceTimersByTimeAsync(59_000)
  requests[0].upload.onprogress({ loaded: 1, total: 6 })
  await vi.advanceTimersByTimeAsync(59_000)
  expect(requests).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(requests[0].isAborted).toBe(true)
  expect(requests).toHaveLength(2)
})

test('a cancelled file is left out, the next one goes', async () => {
  const { outcome } = await begin(file('a'), file('b'))
  present = present.filter(({ key }) => key !== 'a')
  uploads.cancelUploads(['a'])
  await turn()
  expect(requests[0].isAborted).toBe(true)
  expect(requests[1].body.name).toBe('b.txt')
  requests[1].answer(201, { id: 'B' })
  expect(await outcome).toBe('done')
  expect(done).toEqual(['b B'])
})

test('a message that is gone ends its uploads', async () => {
  const { outcome } = await begin(file('a'), file('b'))
  present = null
  uploads.cancelUploads(['a', 'b'])
  expect(await outcome).toBe('done')
  expect(requests).toHaveLength(1)
})

test('a file that the browser has not kept is lost', async () => {
  present = [file('a')]
  const ended = uploads.uploadAll(1, () => present, { name: 'x', onUploaded: () => {} })
  await expect(ended).rejects.toMatchObject({ code: 'file_lost', file: { name: 'a.txt' } })
})

test('the browser asks before it closes a page that alone has a file, until that is sent or not wanted', async () => {
  const asks = () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))
  expect(asks()).toBe(false)
  for (const key of ['a', 'b']) expect(await fileStore.keepFile(1, key, new Blob(['x']))).toBe(false)
  await fileStore.dropFiles(1, ['a'])
  expect(asks()).toBe(true)
  await fileStore.forgetFiles((ownerId) => ownerId === 1)
  expect(asks()).toBe(false)
})

test('what another tab has uploaded meanwhile is not uploaded again', async () => {
  localStorage.setItem('the message', JSON.stringify({ files: [{ key: 'a', uploadId: 'A' }] }))
  const { outcome } = await begin(file('a'))
  expect(await outcome).toBe('done')
  expect([requests.length, done]).toEqual([0, ['a A']])
})
