/**
 * The list of chats, its badges, names and members against a server with delays, lost answers and lost connections: in the
 * end they equal the server's.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { randomFrom } from './fakeChat'
import { alice, logIn, otherTab } from './fakeRest'
import { FakeServer } from './fakeServer'
import { openApp } from './app'
import { forEachSeed } from './seeds'

const STEPS = 60

let app, chats, users, timelines, parts

beforeEach(async () => {
  app = await openApp()
  chats = (await import('@/stores/chats')).useChats()
  users = (await import('@/stores/users')).useUsers()
  timelines = (await import('@/stores/timelines')).useTimelines()
  parts = {
    ...(await import('@/composables/useWebSocket')),
    ...(await import('@/composables/useReading')),
    ...(await import('@/composables/useLatest')),
  }
  vi.useFakeTimers()
  vi.spyOn(console, 'warn').mockReturnValue()
})

afterEach(() => {
  app.websocket.disconnect()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** What the user does in a window: chats that are open, or followed in the list. */
class Window {
  rooms = new Map()

  constructor(random) {
    this.random = random
  }

  /** Follows a chat of the list live. */
  follow(chatId) {
    if (this.rooms.has(chatId)) return
    const scope = effectScope()
    scope.run(() => parts.useChatWebSocket(chatId, { joinSoftly: chats.join }))
    this.rooms.set(chatId, { close: () => scope.stop() })
  }

  /** Opens a chat, and reads it while its end is visible. */
  open(chatId) {
    if (this.rooms.has(chatId) || !chats.get(chatId)) return
    const scope = effectScope()
    const timeline = timelines.open(chatId)
    const isAtEnd = ref(this.random() < 0.5)
    scope.run(() => {
      parts.useChatWebSocket(chatId, { join: timeline.follow })
      parts.useLatest(chatId, timeline)
      this.reading = parts.useReading(chatId, timeline, isAtEnd)
    })
    const { reading } = this
    const close = () => (scope.stop(), timeline.leave())
    this.rooms.set(chatId, { close, timeline, isAtEnd, begin: () => reading.begin() })
  }

  close(chatId) {
    this.rooms.get(chatId)?.close()
    this.rooms.delete(chatId)
  }

  /** What components do: a chat begins with its first page, and closes when it is removed. */
  live() {
    for (const [chatId, room] of this.rooms) {
      if (!chats.get(chatId)) this.close(chatId)
      else if (room.timeline?.state.loaded && !room.begun) room.begun = (room.begin().catch(() => {}), true)
    }
  }
}

async function pass(window, ms) {
  for (let left = ms; left > 0; left -= 100) {
    await vi.advanceTimersByTimeAsync(Math.min(left, 100))
    window.live()
    await nextTick()
  }
}

async function run(seed) {
  const random = randomFrom(seed)
  vi.setSystemTime(Date.UTC(2026, 0, 1) + seed * 1_000_000)
  vi.spyOn(Math, 'random').mockImplementation(randomFrom(-seed)) // for the delays of reconnects
  const me = seed * 100
  const server = new FakeServer(me, random)
  server.pageSize = random() < 0.3 ? 3 : 200
  const window = new Window(random)
  for (let count = 2 + random() * 5; count > 0; count--) {
    const chat = server.create()
    for (let written = random() * 6; written > 1; written--) server.write(chat)
  }
  otherTab(() => logIn(seed, { ...alice, ...server.users.get(me) }))
  app.websocket.connect('T')
  await pass(window, 0)
  chats.load()
  const loaded = new Set()
  const withMembers = new Set()

  const someChat = () => server.pick([...server.chats.values()])
  const someMessage = (chat) => server.pick(chat.messages.slice(-4))
  const other = () => me + 1 + Math.floor(random() * 7)
  const someTime = () => server.pick([null, '2026-03-01T00:00:00Z', '2027-03-01T00:00:00Z'])
  const quietly = (promise) => void promise.catch(() => {})
  const steps = {
    connect: () => server.connect(),
    disconnect: () => random() < 0.3 && server.disconnect(),
    wait: () => pass(window, random() * 400),
    write: (chat) => server.write(chat, random() < 0.8 ? other() : me),
    write2: (chat) => server.write(chat, other()),
    edit: (chat) => server.edit(chat, someMessage(chat)),
    remove: (chat) => server.remove(chat, someMessage(chat)),
    removeMany: (chat) =>
      chat.messages
        .slice(-6)
        .reverse()
        .forEach((one) => server.remove(chat, one)),
    read: (chat) => server.read(chat, someMessage(chat)),
    rename: (chat) => server.rename(chat),
    add: (chat) => server.add(chat, random() < 0.3 ? me : other()),
    addMany: (chat) => [1, 2, 3].forEach(() => quietly(chats.addMember(chat.id, other()))),
    dropOne: (chat) => quietly(chats.removeMember(chat.id, other())),
    renameHere: (chat) => chats.get(chat.id) && quietly(chats.change(chat.id, { name: `Here ${random()}` })),
    role: (chat) => server.setRole(chat, random() < 0.4 ? me : other(), server.pick(['admin', 'member'])),
    drop: (chat) => server.drop(chat, random() < 0.2 ? me : other()),
    create: () => server.create(random() < 0.7 ? undefined : [me + 1]),
    destroy: (chat) => random() < 0.3 && server.chats.size > 2 && server.destroy(chat),
    renameUser: () => server.renameUser(server.users.get(other())),
    members: (chat) => chats.get(chat.id) && (withMembers.add(chat.id), chats.members(chat.id)),
    load: () => {
      const id = other()
      loaded.add(id)
      users.get(id)
    },
    follow: (chat) => chats.get(chat.id) && window.follow(chat.id),
    open: (chat) => window.open(chat.id),
    close: (chat) => window.close(chat.id),
    scroll: (chat) =>
      window.rooms.get(chat.id)?.isAtEnd && (window.rooms.get(chat.id).isAtEnd.value = random() < 0.5),
    more: () => quietly(chats.loadMore()),
    hide: (chat) => server.configure(chat, { hidden: random() < 0.7 }),
    hideHere: (chat) => chats.get(chat.id) && quietly(chats.configure(chat.id, { hidden: true })),
    favor: (chat) => server.configure(chat, { favorite: random() < 0.5 }),
    silence: (chat) => server.configure(chat, { notifications: server.pick(['all', 'mentions', 'none']) }),
    mark: (chat) => chats.get(chat.id) && quietly(chats.configure(chat.id, { marked_unread: true })),
    hidden: () => quietly(chats.loadHidden()),
    mute: (chat) => server.mute(chat, random() < 0.5 ? me : other(), someTime()),
    muteHere: (chat) => quietly(chats.changeMember(chat.id, other(), { muted_until: someTime() })),
    ban: (chat) => random() < 0.5 && server.drop(chat, random() < 0.2 ? me : other(), 'banned'),
    banHere: (chat) => quietly(chats.banMember(chat.id, other())),
    publish: (chat) => server.change(chat, { is_public: random() < 0.5 }),
    slowHere: (chat) =>
      chats.get(chat.id) && quietly(chats.change(chat.id, { slow_mode_s: server.pick([0, 30]) })),
  }
  for (let step = 0; step < STEPS; step++) {
    const chat = someChat()
    if (chat) await steps[server.pick(Object.keys(steps))](chat)
    if (random() < 0.5) await pass(window, random() * 60)
  }

  // At the end there is a connection, and there are no more changes.
  server.isReliable = true
  if (!server.connection) {
    app.websocket.retry()
    await pass(window, 1_000)
    server.connect()
  }
  await pass(window, 25_000)
  for (const id of loaded) users.get(id)
  for (const id of withMembers) if (chats.get(id)) chats.members(id)
  await pass(window, 5_000)
  check(server, loaded, withMembers)
  for (const chatId of [...window.rooms.keys()]) window.close(chatId)
  app.websocket.disconnect()
  server.connection = null
  return server
}

const seen = ({ id, name, member_count, role, unread_count, last_message, read_seq, ...more }) => ({
  id,
  name,
  member_count,
  role,
  unread: [unread_count, more.unread_mentions],
  read_seq: unread_count && read_seq, // without unread messages its value does not matter
  last: last_message && [last_message.id, last_message.content],
  settings: [more.notifications, more.favorite, more.marked_unread, more.hidden, more.muted_until],
  rules: [more.is_public, more.slow_mode_s],
})

function check(server, loaded, withMembers) {
  const all = server.list().map((chat) => server.summary(chat))
  const expected = [...all.filter((chat) => chat.favorite), ...all.filter((chat) => !chat.favorite)]
  expect(chats.list.map(seen)).toEqual(expected.map(seen))
  const counted = expected.filter(({ notifications }) => notifications !== 'none')
  const countOf = ({ notifications, unread_count, unread_mentions, marked_unread }) =>
    (notifications === 'all' ? unread_count : unread_mentions) || Number(marked_unread)
  expect(chats.unreadTotal).toBe(counted.reduce((sum, chat) => sum + countOf(chat), 0))
  // Hidden chats are known once the user has opened their list.
  for (const chat of chats.hidden) expect(server.list(true).map(({ id }) => id)).toContain(chat.id)
  expect(chats.hasMore).toBe(false)
  for (const { id } of expected) {
    if (!withMembers.has(id)) continue
    const rows = (members) =>
      members
        .map(({ user, role, muted_until }) => [user.id, role, user.display_name, muted_until])
        .sort(([a], [b]) => a - b)
    expect(rows(chats.members(id))).toEqual(rows(server.membersOf(server.chats.get(id))))
  }
  for (const id of loaded) expect(users.nameOf(id)).toBe(server.users.get(id).display_name)
}

test('whatever happens, the client ends with what the server has', () => forEachSeed(run), 600_000)
