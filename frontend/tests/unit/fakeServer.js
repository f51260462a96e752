/**
 * A server as one of its users sees it. An answer shows the state at some moment between the request and the answer, events
 * come in order while the connection lasts, and both have random delays. It sends what docs/protocol.md says.
 */

import { vi } from 'vitest'
import { fail } from './fakeRest'
import { FakeSocket } from './fakeSocket'

const UPDATE_EVERY_MS = 1_000
const PAGE_MESSAGES = 50

export class FakeServer {
  users = new Map()
  chats = new Map()
  lastId = 0
  /** `socket`, `joined`, and when its last frame arrives; null: there is none. */
  connection = null
  /** By chat: whether another `chat_updated` is due after the pause. */
  due = new Map()
  /** Whether failures and lost connections have ended. */
  isReliable = false
  /** The commands of the client. @type {any[]} */
  commands = []

  /** @param {number} me the id of the user @param {() => number} random */
  constructor(me, random) {
    this.me = me
    this.random = random
    for (let id = me; id < me + 8; id++)
      this.users.set(id, { id, username: `user${id}`, display_name: `User ${id}`, status: 'online' })
    vi.stubGlobal('fetch', (address, init) => this.fetch(address, init))
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)]
  }

  latency() {
    return this.random() < 0.8 ? this.random() * 80 : this.random() * 1_500
  }

  // Events.

  publish(frame) {
    const { connection } = this
    if (!connection) return
    connection.at = Math.max(connection.at + 0.001, Date.now() + this.latency())
    const text = JSON.stringify({ timestamp: 'now', ...frame })
    setTimeout(
      () => connection === this.connection && connection.socket.deliver(text),
      connection.at - Date.now(),
    )
  }

  isMember(chat) {
    return this.chats.has(chat.id) && chat.members.has(this.me)
  }

  publishToRoom(chat, frame) {
    if (this.connection?.joined.has(chat.id)) this.publish({ chat_id: chat.id, ...frame })
  }

  /** `chat_updated`, at once and then at most once a second, to a connection that has not joined. */
  updated(chat) {
    if (this.due.has(chat.id)) return void this.due.set(chat.id, true)
    this.due.set(chat.id, true)
    const go = () => {
      if (!this.due.get(chat.id)) return void this.due.delete(chat.id)
      this.due.set(chat.id, false)
      if (this.isMember(chat) && !this.connection?.joined.has(chat.id)) {
        const { last_message, unread_count, unread_mentions, read_seq } = this.summary(chat)
        const head_seq = chat.head
        this.publish({
          type: 'chat_updated',
          chat_id: chat.id,
          last_message,
          unread_count,
          unread_mentions,
          read_seq,
          head_seq,
        })
      }
      setTimeout(go, UPDATE_EVERY_MS)
    }
    go()
  }

  changed(chat) {
    if (this.isMember(chat)) this.publish({ type: 'chat_changed', chat_id: chat.id, chat: this.shared(chat) })
  }

  // The state.

  visible(chat) {
    return chat.messages.filter((message) => !message.gone)
  }

  unread(chat) {
    const mark = chat.marks.get(this.me) ?? 0
    const messages = this.visible(chat).filter(({ seq, sender_id }) => seq > mark && sender_id !== this.me)
    const isMention = ({ mentions, mentions_all }) => mentions_all || mentions.includes(this.me)
    return { unread_count: messages.length, unread_mentions: messages.filter(isMention).length }
  }

  shared(chat) {
    return {
      id: chat.id,
      name: chat.name,
      chat_type: 'group',
      created_at: '2025-11-23T10:00:00Z',
      created_by: chat.created_by,
      member_count: chat.members.size,
      seq: chat.head,
      is_public: chat.is_public ?? false,
      slow_mode_s: chat.slow_mode_s ?? 0,
    }
  }

  summary(chat) {
    const mark = chat.marks.get(this.me) ?? 0
    const marked = chat.messages.find(({ seq }) => seq === mark)
    return {
      ...this.shared(chat),
      role: chat.members.get(this.me),
      ...this.unread(chat),
      last_message: this.visible(chat).at(-1) ?? null,
      last_read_message_id: marked?.id ?? null,
      // An older server does not send it.
      ...(!this.isOld && { read_seq: mark }),
      ...this.settings(chat),
    }
  }

  /** What the user has set for themselves. A new message shows a hidden chat again. */
  settings(chat) {
    const { notifications = 'all', favorite = false, marked_unread = false, hiddenAt = null } = chat.own
    const hidden = hiddenAt !== null && !chat.messages.some(({ seq }) => seq > hiddenAt)
    return { notifications, favorite, marked_unread, hidden, muted_until: chat.mutes.get(this.me) ?? null }
  }

  membersOf(chat) {
    return [...chat.members].map(([id, role]) => ({
      user: { ...this.users.get(id) },
      role,
      read_seq: chat.marks.get(id) ?? 0,
      last_read_message_id: null,
      muted_until: chat.mutes.get(id) ?? null,
    }))
  }

  /** The chats of the user that are hidden or not, the latest activity first. */
  list(hidden = false) {
    const at = (chat) => Date.parse(this.visible(chat).at(-1)?.created_at ?? '2025-11-23T10:00:00Z')
    return [...this.chats.values()]
      .filter((chat) => this.isMember(chat) && this.settings(chat).hidden === hidden)
      .sort((a, b) => at(b) - at(a) || b.id - a.id)
  }

  // Actions of users.

  create(memberIds = [this.me, this.me + 1]) {
    const id = ++this.lastId
    const members = new Map(memberIds.map((member) => [member, 'member']))
    const chat = {
      id,
      name: `Chat ${id}`,
      created_by: this.me + 1,
      head: 0,
      messages: [],
      members,
      marks: new Map(),
      mutes: new Map(),
      own: {},
    }
    this.chats.set(id, chat)
    if (this.isMember(chat)) this.publish({ type: 'chat_added', chat_id: id, head_seq: 0 })
    return chat
  }

  write(chat, sender_id = this.me + 1) {
    const seq = ++chat.head
    const created_at = new Date(Date.UTC(2025, 10, 24) + ++this.lastId * 1000).toISOString()
    const message = {
      id: ++this.lastId,
      chat_id: chat.id,
      seq,
      changed_seq: seq,
      content: `m${seq}`,
      sender_id,
      created_at,
      edited_at: null,
    }
    this.mention(message)
    chat.messages.push(message)
    this.publishToRoom(chat, { type: 'new_message', seq, message: { ...message } })
    this.updated(chat)
  }

  /** Makes a message mention the user, all, or nobody. */
  mention(message) {
    const whom = this.pick([null, null, null, 'me', 'all'])
    const text = message.content.split(' ')[0]
    message.content = whom ? `${text} @${whom}` : text
    message.mentions = whom === 'me' ? [this.me] : []
    message.mentions_all = whom === 'all'
  }

  edit(chat, message) {
    if (!message || message.gone) return
    message.changed_seq = ++chat.head
    message.content = message.content.replace(/^\S+/, '$&!')
    message.edited_at = message.created_at
    this.mention(message)
    this.publishToRoom(chat, { type: 'message_updated', seq: chat.head, message: { ...message } })
    this.updated(chat)
  }

  remove(chat, message) {
    if (!message || message.gone) return
    message.changed_seq = ++chat.head
    message.gone = true
    this.publishToRoom(chat, { type: 'message_deleted', message_id: message.id, seq: chat.head })
    this.updated(chat)
  }

  /** The user sets something for themselves, on this device or another one. */
  configure(chat, { hidden, ...settings }) {
    if (!this.isMember(chat)) return
    const before = JSON.stringify(this.settings(chat))
    Object.assign(chat.own, settings, hidden !== undefined && { hiddenAt: hidden ? chat.head : null })
    const now = this.settings(chat)
    if (JSON.stringify(now) !== before) this.publish({ type: 'chat_settings', chat_id: chat.id, ...now })
  }

  /** The user reads up to a message, on this device or another one. */
  read(chat, message) {
    this.configure(chat, { marked_unread: false })
    if (!message || message.seq <= (chat.marks.get(this.me) ?? 0)) return
    chat.marks.set(this.me, message.seq)
    const mark = { up_to: message.id, read_seq: message.seq }
    this.publishToRoom(chat, { type: 'messages_read', user_id: this.me, ...mark })
    this.updated(chat)
  }

  rename(chat) {
    chat.name = `${chat.name.slice(0, 20)} ${++this.lastId}`
    this.changed(chat)
  }

  add(chat, userId, role = 'member') {
    if (chat.members.has(userId)) return
    chat.members.set(userId, role)
    if (userId === this.me) this.publish({ type: 'chat_added', chat_id: chat.id, head_seq: chat.head })
    this.changed(chat)
  }

  setRole(chat, userId, role) {
    if (!chat.members.has(userId)) return
    chat.members.set(userId, role)
    this.changed(chat)
  }

  drop(chat, userId, reason = 'removed') {
    if (!chat.members.delete(userId)) return
    if (userId === this.me) this.gone(chat, reason)
    this.changed(chat)
  }

  /** A mute stays with somebody who leaves and comes back. @param {string | null} until */
  mute(chat, userId, until) {
    if (!chat.members.has(userId)) return
    chat.mutes.set(userId, until)
    if (userId === this.me) this.publish({ type: 'chat_settings', chat_id: chat.id, ...this.settings(chat) })
    this.changed(chat)
  }

  /** Changes the name, whether the chat is public, or the slow mode. */
  change(chat, changes) {
    Object.assign(chat, changes)
    this.changed(chat)
  }

  destroy(chat) {
    const wasMember = this.isMember(chat)
    this.chats.delete(chat.id)
    if (wasMember) this.gone(chat, 'deleted')
  }

  gone(chat, reason) {
    this.connection?.joined.delete(chat.id)
    this.publish({ type: 'chat_removed', chat_id: chat.id, reason, name: chat.name })
  }

  renameUser(user) {
    // Users who share no chat with the user are not announced.
    if (![...this.chats.values()].some((chat) => this.isMember(chat) && chat.members.has(user.id))) return
    user.display_name = `Name ${++this.lastId}`
    this.publish({ type: 'user_changed', user_id: user.id, user: { ...user } })
  }

  // The connection.

  connect() {
    const socket = FakeSocket.last
    if (this.connection || socket?.readyState !== FakeSocket.CONNECTING) return
    const connection = (this.connection = { socket, joined: new Set(), at: Date.now() })
    socket.send = (text) => {
      const frame = JSON.parse(text)
      const at = (connection.sentAt = Math.max((connection.sentAt ?? 0) + 0.001, Date.now() + this.latency()))
      this.commands.push(frame)
      setTimeout(() => connection === this.connection && this.work(frame), at - Date.now())
    }
    socket.accept(this.me)
  }

  disconnect() {
    const { socket } = this.connection ?? {}
    this.connection = null
    socket?.end(1006)
  }

  work(frame) {
    const { joined } = this.connection
    const chat = this.chats.get(frame.chat_id)
    const ack = (more) => frame.id && this.publish({ type: 'ack', id: frame.id, ok: true, ...more })
    if (frame.type === 'ping') return this.publish({ type: 'pong' })
    if (frame.type === 'leave_chat') return void (joined.delete(frame.chat_id), ack())
    if (!chat || !this.isMember(chat)) {
      return this.publish({ type: 'error', id: frame.id, code: 'not_found', message: '', retryable: false })
    }
    if (frame.type === 'join_chat') {
      joined.add(chat.id)
      const replayed = frame.after_seq === undefined ? 0 : this.replay(chat, frame.after_seq)
      ack({ chat_id: chat.id, head_seq: chat.head, replayed: Math.max(replayed, 0), gap: replayed < 0 })
    } else if (frame.type === 'read_messages') {
      const message = chat.messages.find(({ id }) => id === frame.up_to)
      this.read(chat, message)
      ack({
        chat_id: chat.id,
        up_to: frame.up_to,
        ...this.unread(chat),
        read_seq: chat.marks.get(this.me),
      })
    }
  }

  replay(chat, after) {
    const changed = chat.messages
      .filter(({ changed_seq }) => changed_seq > after)
      .sort((a, b) => a.changed_seq - b.changed_seq)
    if (changed.length > 30) return -1
    for (const message of changed) {
      const type = message.gone ? 'message_deleted' : message.seq > after ? 'new_message' : 'message_updated'
      const content = message.gone ? { message_id: message.id } : { message: { ...message } }
      this.publish({ type, chat_id: chat.id, seq: message.changed_seq, ...content })
    }
    return changed.length
  }

  // REST.

  async fetch(address, { method, body }) {
    const url = new URL(address, 'http://server')
    const path = url.pathname.replace(/^\/api/, '')
    const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
    await sleep(this.latency())
    const isLost = !this.isReliable && this.random() < 0.04
    const answer = isLost ? null : this.answer(method, path, url.searchParams, body && JSON.parse(body))
    const text = answer instanceof Response ? answer : new Response(JSON.stringify(answer), { status: 200 })
    await sleep(this.latency())
    if (isLost) throw new TypeError('lost')
    return text
  }

  answer(method, path, query, body) {
    const [, kind, id, part, about] = path.split('/')
    if (kind === 'users') return { ...this.users.get(id === 'me' ? this.me : Number(id)) }
    if (!id) return this.page(query)
    const chat = this.chats.get(Number(id))
    if (!chat || !this.isMember(chat)) return fail(404, 'not_found')
    if (method === 'PATCH' && !part) this.change(chat, body)
    if (part === 'me') this.configure(chat, body)
    if (!part || part === 'me') return this.summary(chat)
    if (part === 'messages') return this.messages(chat, query)
    if (part === 'bans') {
      this.drop(chat, body.user_id, 'banned')
      return { user: { ...this.users.get(body.user_id) }, reason: null, banned_by: this.me, at: 'now' }
    }
    if (method === 'PATCH') {
      if (!chat.members.has(Number(about))) return fail(404, 'not_found')
      if ('muted_until' in body) this.mute(chat, Number(about), body.muted_until)
      else this.setRole(chat, Number(about), body.role)
      return this.membersOf(chat).find(({ user }) => user.id === Number(about))
    }
    if (method === 'POST') {
      if (chat.members.has(body.user_id)) return fail(409, 'conflict')
      this.add(chat, body.user_id)
      return this.membersOf(chat).find(({ user }) => user.id === body.user_id)
    }
    if (method === 'DELETE') {
      if (!chat.members.has(Number(about))) return fail(404, 'not_found')
      this.drop(chat, Number(about))
      return null
    }
    return { members: this.membersOf(chat) }
  }

  /** A page of the list of chats. A cursor names the chat before the page. */
  page(query) {
    const all = this.list(query.get('hidden') === 'true')
    const cursorOf = (chat) =>
      `${this.visible(chat).at(-1)?.created_at ?? ''} ${String(chat.id).padStart(9, '0')}`
    const limit = Math.min(Number(query.get('limit')), this.pageSize ?? 200)
    const cursor = query.get('cursor')
    const below = cursor === null ? all : all.filter((chat) => cursorOf(chat) < cursor)
    const chats = below.slice(0, limit)
    return {
      chats: chats.map((chat) => this.summary(chat)),
      next_cursor: below.length > limit ? cursorOf(chats.at(-1)) : null,
    }
  }

  messages(chat, query) {
    const visible = this.visible(chat)
    const seqOf = (name) => chat.messages.find(({ id }) => id === Number(query.get(name)))?.seq
    const limit = Math.min(Number(query.get('limit') ?? 50), PAGE_MESSAGES)
    let from = Math.max(0, visible.length - limit)
    let to = visible.length
    if (query.has('before')) {
      to = visible.filter(({ seq }) => seq < seqOf('before')).length
      from = Math.max(0, to - limit)
    } else if (query.has('after')) {
      from = visible.filter(({ seq }) => seq <= seqOf('after')).length
      to = Math.min(visible.length, from + limit)
    } else if (query.has('around')) {
      from = Math.max(0, visible.filter(({ seq }) => seq < seqOf('around')).length - Math.floor(limit / 2))
      to = Math.min(visible.length, from + limit)
    }
    const messages = visible.slice(from, to).map((message) => ({ ...message }))
    return { messages, has_more_before: from > 0, has_more_after: to < visible.length, head_seq: chat.head }
  }
}
