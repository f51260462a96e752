/**
 * The pinned messages of one chat, the one that was pinned last first. They are requested when the chat is followed, and kept up
 * to date by events.
 *
 * @typedef {import('@/types').Message} Message
 */

import { shallowReactive } from 'vue'
import { MESSAGE_EVENTS } from '@/events'

/**
 * @param {number} chatId
 * @param {object} services
 * @param {{ get: (path: string, query?: import('@/services/http').Query) => Promise<any> }} services.api
 * @param {Pick<typeof import('@/services/websocket').default, 'on'>} services.websocket
 * @param {(messageId: number) => Message | undefined} services.find a message that is loaded
 * @param {() => void} services.onUnknown called when a message is pinned that is not loaded: the pins have to be loaded again
 */
export function createPins(chatId, { api, websocket, find, onUnknown }) {
  const state = shallowReactive({
    /** @type {Message[]} */
    messages: [],
    loaded: false,
  })
  /** The events that come while the pins are requested, because the answer may be older; null: no request is out. @type {any[] | null} */
  let buffered = null
  let latestLoad = 0

  /** Requests the pins. Of several requests only the latest counts. */
  async function load() {
    const own = ++latestLoad
    buffered = []
    try {
      const found = await request()
      if (own !== latestLoad) return
      state.messages = found
      state.loaded = true
      const frames = buffered
      buffered = null
      frames.forEach(apply)
    } finally {
      if (own === latestLoad) buffered = null
    }
  }

  async function request() {
    /** @type {Message[]} */
    const found = []
    let cursor = null
    do {
      const page = await api.get(`/chats/${chatId}/pins`, { cursor })
      found.push(...page.messages)
      cursor = page.next_cursor ?? null
    } while (cursor)
    return found
  }

  /** @param {any} frame of an event that changes a message */
  function receive(frame) {
    if (frame.chat_id !== chatId) return
    buffered?.push(frame)
    if (state.loaded) apply(frame)
  }

  /** @param {any} frame */
  function apply(frame) {
    const id = frame.message_id ?? frame.message.id
    const known = state.messages.find((message) => message.id === id)
    if (known && known.changed_seq >= frame.seq) return // the answer had the change
    if (frame.type === 'message_deleted' || frame.type === 'message_unpinned') remove(id)
    else if (frame.type === 'message_pinned') pin(id, known, frame.seq)
    else if (frame.type === 'message_updated' && frame.message) update(frame.message, known)
  }

  /** @param {number} id */
  function remove(id) {
    state.messages = state.messages.filter((message) => message.id !== id)
  }

  /** @param {number} id @param {Message | undefined} known @param {number} seq */
  function pin(id, known, seq) {
    const message = find(id) ?? known
    if (!message) onUnknown()
    // Else a later event, which is on its way here too, has ended the pin.
    else if (message.pinned || message.changed_seq < seq)
      putFirst({ ...message, pinned: true, changed_seq: seq })
  }

  /** @param {Message} message */
  function putFirst(message) {
    state.messages = [message, ...state.messages.filter(({ id }) => id !== message.id)]
  }

  /** An edit, or what a replay says of a message. @param {Message} message @param {Message | undefined} known */
  function update(message, known) {
    if (message.pinned === false) remove(message.id)
    else if (known) state.messages = state.messages.map((one) => (one === known ? message : one))
    else if (message.pinned) putFirst(message)
  }

  const subscriptions = MESSAGE_EVENTS.map((event) => websocket.on(event, receive))

  return {
    state,
    load,
    dispose() {
      latestLoad++
      for (const unsubscribe of subscriptions) unsubscribe()
    },
  }
}
