/**
 * Uploads of files, one at a time of each message and a few in all. A tab at a time uploads those of a message, as far as
 * the browser can tell.
 *
 * @typedef {import('@/timeline/outbox').UnsentFile} UnsentFile
 */
import pLimit from 'p-limit'
import { ApiError } from '@/services/api'
import { fileOf } from '@/services/fileStore'
import { answerOf, BASE_URL } from '@/services/http'
import { storage } from '@/services/storage'
import * as tokens from '@/services/tokens'
import websocket from '@/services/websocket'
import { useServer } from '@/stores/server'
import { progress } from './progress'

const AT_ONCE = 3
/** An upload of which nothing more goes out for this long has failed. */
const STALLED_MS = 60_000
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 10_000
/** After so many failures in a row the user decides. */
const TRIES = 6

const enqueue = pLimit(AT_ONCE)
/** Those of the uploads that are under way or wait, by the key of the file. @type {Map<string, AbortController>} */
const controllers = new Map()

/** @type {import('@/timeline/outbox').FileServices['cancel']} */
export function cancelUploads(keys) {
  for (const key of keys) controllers.get(key)?.abort()
}

/**
 * See `FileServices.upload`.
 *
 * @param {number} ownerId
 * @param {() => UnsentFile[] | null} files
 * @param {{ name: string, onUploaded: (key: string, uploadId: string) => void }} options
 */
export function uploadAll(ownerId, files, { name, onUploaded }) {
  return exclusively(name, async () => {
    adoptUploads(name, files, onUploaded)
    for (;;) {
      const next = files()?.find((file) => !file.uploadId)
      if (!next) return
      const uploadId = await uploadOne(ownerId, next)
      if (uploadId) onUploaded(next.key, uploadId)
    }
  })
}

/**
 * Runs in one tab at a time. Pages without a secure context have no locks: two tabs may upload the same file there, and the
 * server keeps one of them.
 *
 * @param {string} name
 * @param {() => Promise<void>} run
 */
function exclusively(name, run) {
  return navigator.locks ? navigator.locks.request(`upload ${name}`, run) : run()
}

/**
 * Takes over what another tab has uploaded meanwhile.
 *
 * @param {string} name the key under which the message is stored
 * @param {() => UnsentFile[] | null} files
 * @param {(key: string, uploadId: string) => void} onUploaded
 */
function adoptUploads(name, files, onUploaded) {
  const stored = JSON.parse(storage.getItem(name) ?? 'null')
  for (const { key, uploadId } of /** @type {UnsentFile[]} */ (stored?.files ?? []))
    if (uploadId && files()?.some((file) => file.key === key && !file.uploadId)) onUploaded(key, uploadId)
}

/**
 * Uploads a file, again and again after failures that may pass.
 *
 * @param {number} ownerId
 * @param {UnsentFile} file
 * @returns {Promise<string | null>} the id of the upload; null: it was cancelled
 */
async function uploadOne(ownerId, file) {
  const controller = new AbortController()
  const { signal } = controller
  controllers.set(file.key, controller)
  try {
    for (let failures = 1; ; failures++) {
      try {
        return await enqueue(() => attempt(ownerId, file, signal))
      } catch (error) {
        if (signal.aborted) return null
        const { code, retryable, retryAfterMs } = /** @type {ApiError} */ (error)
        if (code === 'rate_limited') failures-- // a server that asks to wait has not failed
        if (retryable && !websocket.isConnected())
          throw Object.assign(new Error(code), { code: 'disconnected' })
        if (!retryable || failures === TRIES) throw failure(error, file)
        await pause(retryAfterMs ?? Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS), signal)
      }
    }
  } finally {
    controllers.delete(file.key)
    progress.delete(file.key)
  }
}

/** The failure for the user, with the file. @param {any} error @param {UnsentFile} file */
function failure(error, file) {
  const { max_upload_bytes: max = 0 } = useServer().info ?? {}
  // The server has one code for both of its limits.
  const isOverQuota = error.code === 'too_large' && file.size <= max && !error.isByProxy
  const code = isOverQuota ? 'over_quota' : (error.code ?? 'unknown')
  return Object.assign(new Error(error.message), { code, file })
}

/** @param {number} ms @param {AbortSignal} signal which ends the pause */
function pause(ms, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
    signal.addEventListener('abort', resolve, { once: true })
  })
}

/** @param {number} ownerId @param {UnsentFile} file @param {AbortSignal} signal */
async function attempt(ownerId, file, signal) {
  signal.throwIfAborted()
  const blob = await fileOf(ownerId, file.key)
  if (!blob) throw new ApiError({ status: 0, code: 'file_lost' })
  progress.set(file.key, 0)
  const token = await tokens.access()
  try {
    return (await post(blob, file, token, signal)).id
  } catch (error) {
    if (/** @type {ApiError} */ (error).status !== 401) throw error
    return (await post(blob, file, await tokens.access({ refused: token }), signal)).id
  }
}

/**
 * `XMLHttpRequest`, because `fetch` does not say how much has gone out.
 *
 * @param {Blob} blob
 * @param {UnsentFile} file
 * @param {string} token
 * @param {AbortSignal} signal
 * @returns {Promise<any>} the upload as the server has it
 */
function post(blob, { key, name }, token, signal) {
  const body = new FormData()
  body.append('file', blob, name)
  const request = new XMLHttpRequest()
  let timer = 0
  const watch = () => {
    clearTimeout(timer)
    timer = window.setTimeout(() => request.abort(), STALLED_MS)
  }
  return new Promise((resolve, reject) => {
    const lost = () => reject(new ApiError({ status: 0, code: 'network' }))
    request.upload.onprogress = ({ loaded, total }) => {
      watch()
      progress.set(key, total ? loaded / total : 0)
    }
    request.onload = () => {
      try {
        resolve(answerOf(request.status, request.responseText))
      } catch (error) {
        reject(error)
      }
    }
    request.onerror = request.onabort = lost
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.open('POST', `${BASE_URL}/uploads`)
    request.setRequestHeader('Authorization', `Bearer ${token}`)
    watch()
    request.send(body)
  }).finally(() => clearTimeout(timer))
}
