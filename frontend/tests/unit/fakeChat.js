/**
 * A server with one chat that a test runs step by step: nothing is delivered, answered or lost by itself. It numbers, replays
 * and acks as docs/protocol.md says.
 */

import { RequestError } from '@/services/websocket'

/** Small, so that random tests reach both limits. */
const GAP = 12
const PAGE = 8

/** A generator of numbers in [0, 1). The same seed gives the same numbers. */
export function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class FakeChat {
  chatId = 7
  /** A join with another epoch gets a gap; null: an older server. @type {string | null} */
  epoch = null
  head = 0
  lastId = 100
  /** All messages by id. Deleted ones have `gone`. */
  all = new Map()
  /** The `seq` of the pin of each message that was ever pinned. */
  pinnedAt = new Map()
  /** The one connection, or null. */
  connection = null
  subscriptions = new Map()
  pages = []
  requests = new Map()
  lastRequest = 0

  // The services of the client.

  websocket = {
    isConnected: () => this.connection !== null,
    state: { epoch: null },
    on: (type, callback) => {
      const callbacks = this.subscriptions.get(type) ?? new Set()
      this.subscriptions.set(type, callbacks.add(callback))
      return () => callbacks.delete(callback)
    },
    send: (frame) => {
      this.connection?.incoming.push(frame)
      return this.connection !== null
    },
    request: (frame) =>
      new Promise((resolve, reject) => {
        const id = ++this.lastRequest
        if (!this.websocket.send({ ...frame, id }))
          reject(new RequestError({ code: 'disconnected', retryable: true }))
        else this.requests.set(id, { resolve, reject })
      }),
  }

  api = {
    get: (path, query) =>
      new Promise((resolve, reject) => {
        // A page may arrive long after the server has read it.
        let page = null
        if (path.endsWith('/pins')) {
          const read = () => (page ??= { messages: this.pins(), next_cursor: null })
          return this.pages.push({ query, read, answer: () => resolve(read()), fail: reject })
        }
        const isUnknown = Object.values({ ...query, limit: undefined }).some((id) => id && !this.all.has(id))
        if (isUnknown) return reject(Object.assign(new Error('invalid'), { code: 'invalid' }))
        const read = () => (page ??= this.page(query))
        this.pages.push({ query, read, answer: () => resolve(read()), fail: reject })
      }),
  }

  // Actions of other users.

  write(content, { sender_id = 2, ...more } = {}) {
    const seq = ++this.head
    const created_at = new Date(1764000000000 + seq * 60_000).toISOString()
    const id = (this.lastId += seq % 3 ? 1 : 5)
    const message = {
      id,
      chat_id: 7,
      seq,
      changed_seq: seq,
      content,
      sender_id,
      created_at,
      edited_at: null,
      reply_to: null,
      reactions: {},
      pinned: false,
    }
    this.change({ ...message, first_content: content, ...more }, 'new_message')
    return id
  }

  edit(id, content) {
    const message = this.all.get(id)
    if (!message || message.gone) return
    this.change({ ...message, content, changed_seq: ++this.head, edited_at: 'now' }, 'message_updated')
  }

  delete(id) {
    const message = this.all.get(id)
    if (!message || message.gone) return
    this.change({ ...message, changed_seq: ++this.head, gone: true }, 'message_deleted')
  }

  /** The user reacts with the emoji or, if they did before, does so no longer. */
  react(id, user_id, emoji) {
    const message = this.all.get(id)
    if (!message || message.gone) return
    const { [emoji]: users = [], ...others } = message.reactions
    const isNew = !users.includes(user_id)
    const left = isNew ? [...users, user_id] : users.filter((one) => one !== user_id)
    const reactions = left.length ? { ...message.reactions, [emoji]: left } : others
    const part = { user_id, emoji }
    this.change(
      { ...message, reactions, changed_seq: ++this.head },
      isNew ? 'reaction_added' : 'reaction_removed',
      part,
    )
  }

  /** Pins a message or, if it is pinned, ends the pin. */
  pin(id) {
    const message = this.all.get(id)
    if (!message || message.gone) return
    const pinned = !message.pinned
    const type = pinned ? 'message_pinned' : 'message_unpinned'
    this.change({ ...message, pinned, changed_seq: ++this.head }, type, { user_id: 2 })
  }

  /** The event has the whole message, unless `part` says what it has instead. */
  change(message, type, part = null) {
    this.all.set(message.id, message)
    if (type === 'message_pinned') this.pinnedAt.set(message.id, message.changed_seq)
    if (this.connection?.joined) this.publish(type, message, part)
  }

  publish(type, message, part = null) {
    const frame = { type, chat_id: this.chatId, seq: message.changed_seq }
    const content = type === 'message_deleted' ? {} : (part ?? { message })
    this.connection.outgoing.push({ ...frame, message_id: message.id, ...content })
  }

  // Steps of the server.

  visible() {
    return [...this.all.values()].filter((message) => !message.gone).sort((a, b) => a.seq - b.seq)
  }

  /** The pinned messages, the last one pinned first. */
  pins() {
    const pinned = this.visible().filter((message) => message.pinned)
    return pinned.sort((a, b) => this.pinnedAt.get(b.id) - this.pinnedAt.get(a.id))
  }

  page({ before, after, around }) {
    const limit = PAGE
    const visible = this.visible()
    const at = (id) => this.all.get(id).seq
    let from = Math.max(0, visible.length - limit)
    let to = visible.length
    if (before !== undefined) {
      to = visible.filter((message) => message.seq < at(before)).length
      from = Math.max(0, to - limit)
    } else if (after !== undefined) {
      from = visible.filter((message) => message.seq <= at(after)).length
      to = Math.min(visible.length, from + limit)
    } else if (around !== undefined) {
      from = Math.max(0, visible.filter((message) => message.seq < at(around)).length - Math.floor(limit / 2))
      to = Math.min(visible.length, from + limit)
    }
    const messages = visible.slice(from, to)
    return { messages, has_more_before: from > 0, has_more_after: to < visible.length, head_seq: this.head }
  }

  /** Runs the next command of the connection, or the next pass of a replay. */
  work(random = () => 1) {
    const { connection } = this
    if (connection?.replay) return this.replay(random)
    const frame = connection?.incoming.shift()
    if (frame?.type === 'join_chat') {
      connection.joined = false // live events wait for the end of the replay
      connection.replay = { frame, sent: frame.after_seq, count: 0, replayed: new Set() }
      this.replay(random)
    } else if (frame?.type === 'send_message') {
      const known = [...this.all.values()].find((message) => message.client_id === frame.client_id)
      if (known?.gone) return this.answer(frame, { type: 'error', code: 'not_found' })
      const { content, client_id } = frame
      const id = known?.id ?? this.write(content, { sender_id: 1, client_id })
      this.answer(frame, { type: 'ack', message: this.all.get(id), duplicate: Boolean(known) })
    } else if (frame?.type === 'leave_chat') {
      connection.joined = false
    }
  }

  /** Runs one pass of a replay. Whether it is the last one is random. */
  replay(random) {
    const { replay } = this.connection
    const { frame, replayed } = replay
    const changed = [...this.all.values()]
      .filter((message) => message.changed_seq > replay.sent)
      .sort((a, b) => a.changed_seq - b.changed_seq)
    const isOther = this.epoch !== null && frame.epoch !== this.epoch
    const gap = isOther || frame.after_seq > this.head || replayed.size + changed.length > GAP
    for (const message of gap ? [] : changed) {
      const isNew = message.seq > frame.after_seq && !replayed.has(message.id)
      this.publish(message.gone ? 'message_deleted' : isNew ? 'new_message' : 'message_updated', message)
      replayed.add(message.id)
      replay.count++
    }
    replay.sent = this.head
    if (!gap && random() < 0.5) return // changes may happen before the next pass
    this.connection.replay = null
    this.connection.joined = true
    this.answer(frame, { type: 'ack', chat_id: 7, head_seq: this.head, replayed: replay.count, gap })
  }

  answer({ id }, answer) {
    this.connection.outgoing.push({ ...answer, id })
  }

  connect() {
    this.connection = { incoming: [], outgoing: [], joined: false, replay: null }
    this.call({ type: 'connected', user_id: 1 })
  }

  disconnect() {
    this.connection = null
    for (const { reject } of this.requests.values())
      reject(new RequestError({ code: 'disconnected', retryable: true }))
    this.requests.clear()
  }

  /** Delivers the next frame to the client. Returns false if there is none. */
  deliver() {
    const frame = this.connection?.outgoing.shift()
    if (!frame) return false
    const waiting = this.requests.get(frame.id)
    this.requests.delete(frame.id)
    if (frame.type === 'ack') waiting?.resolve(frame)
    else if (frame.type === 'error') waiting?.reject(new RequestError(frame))
    else this.call(frame)
    return true
  }

  call(frame) {
    for (const callback of [...(this.subscriptions.get(frame.type) ?? [])]) callback(frame)
  }
}

/** Waits until promises have settled. */
export async function settle() {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve()
}
