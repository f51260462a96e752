import { onScopeDispose, shallowReactive } from 'vue'
import { streamKey } from '@/timeline/rows'
import { onEvent } from './onEvent'
import { keepWhole } from './useUnfolded'

/** A stream that is not continued disappears after this time, which is a little longer than the server's. */
const SHOWN_MS = 16_000

/** @typedef {import('@/timeline/rows').Stream} Stream */

/**
 * The answers that others are writing in an open chat, until their messages come.
 *
 * @param {number} chatId
 */
export function useStreams(chatId) {
  /** By `streamKey`. @type {Map<string, Stream>} */
  const streams = shallowReactive(new Map())
  /** The keys of all streams that were shown: their messages take their places in the page. @type {Set<string>} */
  const shown = new Set()
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  const ends = new Map()

  /** @param {string} key */
  function remove(key) {
    clearTimeout(ends.get(key))
    ends.delete(key)
    return streams.delete(key)
  }

  onEvent('message_stream', ({ chat_id, user_id, stream_id, content, timestamp }) => {
    if (chat_id !== chatId) return
    const key = streamKey(user_id, stream_id)
    clearTimeout(ends.get(key))
    if (content === null) return void remove(key)
    shown.add(key)
    streams.set(key, { userId: user_id, streamId: stream_id, content, at: timestamp })
    ends.set(
      key,
      setTimeout(() => remove(key), SHOWN_MS),
    )
  })
  onEvent('new_message', ({ chat_id, message }) => {
    if (chat_id !== chatId || !message.client_id) return
    // The reader has seen all of it grow: the log would jump if it were folded now.
    if (remove(streamKey(message.sender_id, message.client_id))) keepWhole(message.id)
  })
  onScopeDispose(() => ends.forEach((timer) => clearTimeout(timer)))

  return { streams, shown }
}
