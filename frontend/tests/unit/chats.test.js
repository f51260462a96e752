import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { alice, bob, fail, fakeRest, later, logIn, otherTab } from './fakeRest'
import { openApp, settled } from './app'

/** @type {Awaited<ReturnType<typeof openApp>>} */
let app
/** @type {ReturnType<typeof import('@/stores/chats').useChats>} */
let chats

beforeEach(async () => {
  app = await openApp()
  chats = (await import('@/stores/chats')).useChats()
})

afterEach(() => {
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const at = (/** @type {number} */ minute) => new Date(Date.UTC(2025, 10, 23, 10, minute)).toISOString()

/** The n-th message of chat `chat_id`, at minute `seq`. */
function message(chat_id, seq, more = {}) {
  return {
    id: chat_id * 1000 + seq,
    chat_id,
    seq,
    changed_seq: seq,
    content: `${seq}`,
    sender_id: 2,
    created_at: at(seq),
    ...more,
  }
}

function chat(id, seq = 0, more = {}) {
  return {
    id,
    name: `Chat ${id}`,
    chat_type: 'group',
    created_at: at(0),
    created_by: 1,
    member_count: 2,
    seq,
    role: 'member',
    unread_count: 0,
    last_message: seq ? message(id, seq) : null,
    ...more,
  }
}

/** The route of a list of chats with pages. */
function paged(all) {
  return ({ query }) => {
    const start = Number(query.cursor ?? 0)
    const end = start + Number(query.limit)
    return { chats: all.slice(start, end), next_cursor: end < all.length ? String(end) : null }
  }
}

const ids = () => chats.list.map(({ id }) => id)

describe('the list', () => {
  test('has the latest activity first', async () => {
    fakeRest({ 'GET /chats': paged([chat(1, 5), chat(2, 9), chat(3)]) })
    await chats.load()
    expect(ids()).toEqual([2, 1, 3])
    chats.noteLatest(3, message(3, 20))
    expect(ids()).toEqual([3, 2, 1])
    expect(chats.state).toBe('ready')
  })

  test('is loaded by pages, and reloaded as far down as it was', async () => {
    const all = Array.from({ length: 130 }, (_, index) => chat(index + 1, 130 - index))
    const rest = fakeRest({ 'GET /chats': paged(all) })
    await chats.load()
    expect([chats.list.length, chats.hasMore]).toEqual([50, true])
    await Promise.all([chats.loadMore(), chats.loadMore()])
    expect(chats.list.length).toBe(100)
    await chats.load()
    expect(chats.list.length).toBe(100)
    await chats.loadAll()
    expect([chats.list.length, chats.hasMore]).toEqual([130, false])
    await chats.loadMore()
    expect(rest.calls.map(({ query }) => query)).toEqual([
      { limit: '50' },
      { limit: '50', cursor: '50' },
      { limit: '100' },
      { limit: '200', cursor: '100' },
    ])
  })

  test('shows a failure, and is loaded with the next connection', async () => {
    const rest = fakeRest({ 'GET /chats': () => Promise.reject(new TypeError('down')) })
    await chats.load()
    expect(chats.state).toBe('failed')
    rest.routes['GET /chats'] = paged([chat(1)])
    await app.connect()
    expect([chats.state, ids()]).toEqual(['ready', [1]])
  })

  test('is retried while there is a connection', async () => {
    const rest = fakeRest({ 'GET /chats': () => fail(503, 'unavailable', { retry_after_ms: 0 }) })
    await app.connect()
    rest.routes['GET /chats'] = paged([chat(1)])
    await settled()
    expect([chats.state, ids()]).toEqual(['ready', [1]])
  })

  test('loses the chats that were removed while the connection was lost', async () => {
    const rest = fakeRest({ 'GET /chats': paged([chat(1), chat(2)]) })
    await chats.load()
    rest.routes['GET /chats'] = paged([chat(2)])
    rest.routes['GET /chats/1'] = fail(404, 'not_found')
    await chats.load()
    await settled()
    expect(ids()).toEqual([2])
    expect(chats.get(1)).toBeUndefined()
  })

  test('keeps a chat that is only further down', async () => {
    const all = Array.from({ length: 60 }, (_, index) => chat(index + 1, 60 - index))
    const rest = fakeRest({
      'GET /chats': paged(all),
      'GET /chats/60': all[59],
      'GET /chats/61': fail(404, 'not_found'),
    })
    await chats.fetch(60)
    await chats.load()
    await settled()
    expect(chats.get(60)).toMatchObject({ id: 60 })
    expect(rest.of('GET /chats/60')).toHaveLength(2)
  })

  test('belongs to one user', async () => {
    const answer = later()
    const rest = fakeRest({ 'GET /chats': () => answer.promise })
    const loading = chats.load()
    await settled()
    otherTab(() => logIn(2, bob))
    answer.resolve({ chats: [chat(1)], next_cursor: null })
    await loading
    expect(ids()).toEqual([])
    rest.routes['GET /chats'] = paged([chat(2)])
    await chats.load()
    expect(ids()).toEqual([2])
  })

  test('ignores what is older than an event, and chats that are gone', async () => {
    fakeRest({ 'GET /chats': paged([]) })
    await app.connect()
    const answer = later()
    fakeRest({ 'GET /chats': () => answer.promise, 'GET /chats/1': chat(1, 3) })
    await chats.fetch(1)
    const loading = chats.load()
    await settled()
    await app.deliver({
      type: 'chat_updated',
      chat_id: 1,
      last_message: message(1, 8),
      unread_count: 4,
      head_seq: 8,
    })
    await app.deliver({ type: 'chat_removed', chat_id: 2 })
    answer.resolve({ chats: [chat(1, 3), chat(2, 9)], next_cursor: null })
    await loading
    expect(ids()).toEqual([1])
    expect(chats.get(1)).toMatchObject({ unread_count: 4, last_message: { seq: 8 } })
  })
})

describe('events', () => {
  let rest

  beforeEach(async () => {
    rest = fakeRest({ 'GET /chats': paged([chat(1, 3), chat(2, 4)]) })
    await app.connect()
    rest.calls.length = 0
  })

  test('add, change and remove a chat', async () => {
    rest.routes['GET /chats/3'] = chat(3, 7)
    await app.deliver({ type: 'chat_added', chat_id: 3 })
    expect(ids()).toEqual([3, 2, 1])
    const changes = { name: 'Renamed', member_count: 5 }
    rest.routes['GET /chats/3'] = chat(3, 7, changes)
    await app.deliver({ type: 'chat_changed', chat_id: 3, chat: { id: 3, ...changes, seq: 7 } })
    expect(chats.get(3)).toMatchObject({ name: 'Renamed', member_count: 5, role: 'member' })
    await app.deliver({ type: 'chat_removed', chat_id: 3 })
    expect(ids()).toEqual([2, 1])
  })

  test('of an unknown chat load it', async () => {
    rest.routes['GET /chats/9'] = chat(9, 12)
    await app.deliver({
      type: 'chat_updated',
      chat_id: 9,
      last_message: message(9, 12),
      unread_count: 1,
      head_seq: 12,
    })
    expect(ids()).toEqual([9, 2, 1])
  })

  test('of a joined chat count its new messages', async () => {
    await app.deliver({ type: 'new_message', chat_id: 1, message: message(1, 4), seq: 4 })
    await app.deliver({
      type: 'new_message',
      chat_id: 1,
      message: message(1, 5, { sender_id: alice.id }),
      seq: 5,
    })
    await app.deliver({ type: 'new_message', chat_id: 1, message: message(1, 4), seq: 4 }) // again, by a replay
    expect(chats.get(1)).toMatchObject({ unread_count: 1, seq: 5, last_message: { seq: 5 } })
    expect(chats.unreadTotal).toBe(1)
    chats.noteRead(1, { unread_count: 0 })
    expect(chats.unreadTotal).toBe(0)
    expect(rest.calls).toEqual([])
  })

  test('edit and delete the last message', async () => {
    const edited = message(2, 4, { content: 'better', changed_seq: 5 })
    await app.deliver({ type: 'message_updated', chat_id: 2, message: edited, seq: 5 })
    await app.deliver({
      type: 'message_updated',
      chat_id: 2,
      message: message(2, 1, { changed_seq: 6 }),
      seq: 6,
    })
    expect(chats.get(2).last_message.content).toBe('better')
    rest.routes['GET /chats/2'] = chat(2, 7, { last_message: message(2, 3) })
    await app.deliver({ type: 'message_deleted', chat_id: 2, message_id: edited.id, seq: 7 })
    expect(chats.get(2).last_message.seq).toBe(3)
  })

  test('react to the last message and pin it', async () => {
    const last = chats.get(2).last_message
    const about = { chat_id: 2, message_id: last.id, user_id: 3 }
    await app.deliver({ type: 'reaction_added', ...about, emoji: '👍', seq: 5 })
    await app.deliver({ type: 'reaction_added', ...about, message_id: 2001, emoji: '👍', seq: 6 })
    await app.deliver({ type: 'message_pinned', ...about, seq: 7 })
    const marked = { ...last, reactions: { '👍': [3] }, pinned: true, changed_seq: 7 }
    expect(chats.get(2)).toMatchObject({ last_message: marked, seq: 7 })
    await app.deliver({ type: 'reaction_removed', ...about, emoji: '👍', seq: 8 })
    await app.deliver({ type: 'message_unpinned', ...about, seq: 9 })
    expect(chats.get(2).last_message).toEqual({ ...last, reactions: {}, pinned: false, changed_seq: 9 })
    expect(rest.calls).toEqual([])
  })

  test('react to the last message, of which an edit was missed, and do not hide the edit', async () => {
    const last = chats.get(2).last_message
    const reacted = { chat_id: 2, message_id: last.id, user_id: 3, emoji: '👍', seq: 6 }
    rest.routes['GET /chats/2'] = chat(2, 5, {
      last_message: message(2, last.seq, { content: 'edited', changed_seq: 5 }),
    })
    const asked = chats.check(2) // its answer does not have the reaction
    await app.deliver({ type: 'reaction_added', ...reacted })
    await asked
    expect(chats.get(2).last_message.content).toBe('edited')
    const whole = message(2, last.seq, { content: 'edited', changed_seq: 6, reactions: { '👍': [3] } })
    await app.deliver({ type: 'message_updated', chat_id: 2, message: whole, seq: 6 })
    expect(chats.get(2)).toMatchObject({ seq: 6, last_message: whole })
  })

  test('move the read mark from another device', async () => {
    await app.deliver({ type: 'new_message', chat_id: 1, message: message(1, 4), seq: 4 })
    rest.routes['GET /chats/1'] = chat(1, 4)
    await app.deliver({ type: 'messages_read', chat_id: 1, user_id: 2, up_to: 4 })
    expect(chats.unreadTotal).toBe(1)
    await app.deliver({ type: 'messages_read', chat_id: 1, user_id: alice.id, up_to: 4 })
    expect(chats.unreadTotal).toBe(0)
  })
})

describe('names', () => {
  const members = { members: [alice, bob].map((user) => ({ user, role: 'member', joined_at: at(0) })) }

  test.each([
    ['who made it', { created_by: 2 }],
    ['who wrote last', { last_message: message(1, 1) }],
    ['who else is in it', {}],
  ])('a private chat is called after the other one: %s', async (_known, more) => {
    fakeRest({ 'GET /users/2': bob, 'GET /chats/1/members': members })
    const one = chat(1, 0, { chat_type: 'private', name: null, ...more })
    chats.titleOf(one)
    await settled()
    expect([chats.titleOf(one), chats.peerOf(one)]).toEqual(['Bob', 2])
  })

  test('groups and channels have names, or none', () => {
    expect(chats.titleOf(chat(1))).toBe('Chat 1')
    expect(chats.titleOf(chat(1, 0, { name: null }))).toBe('Unnamed chat')
    expect(chats.titleOf(undefined)).toBe('')
  })

  test('people without a private chat', async () => {
    const own = chat(3, 1, { chat_type: 'private', name: null, created_by: 2 })
    fakeRest({ 'GET /chats': paged([chat(1), chat(2), own]), 'GET /users/2': bob })
    await chats.load()
    await settled()
    expect(chats.withoutPrivate([alice, bob, { ...bob, id: 3 }]).map(({ id }) => id)).toEqual([3])
  })
})

describe('members', () => {
  const member = (user, role = 'member') => ({ user, role, joined_at: at(0), last_read_message_id: null })
  let rest

  beforeEach(async () => {
    rest = fakeRest({
      'GET /chats': paged([chat(1, 1)]),
      'GET /chats/1/members': { members: [member(alice, 'owner'), member(bob)] },
    })
    await app.connect()
  })

  const roles = () => chats.members(1).map(({ user, role }) => [user.username, role])

  test('are loaded once, with the own role', async () => {
    expect([chats.members(1), chats.members(1)]).toEqual([undefined, undefined])
    await settled()
    expect(roles()).toEqual([
      ['alice', 'owner'],
      ['bob', 'member'],
    ])
    expect(chats.get(1).role).toBe('owner')
    expect(rest.of('GET /chats/1/members')).toHaveLength(1)
  })

  test('are loaded over all pages, however many there are', async () => {
    const people = Array.from({ length: 2_500 }, (_, index) =>
      member({ ...bob, id: index + 10, username: `u${index}` }),
    )
    rest.routes['GET /chats/1/members'] = ({ query }) => {
      const start = Number(query.cursor ?? 0)
      const end = start + 1_000
      return { members: people.slice(start, end), next_cursor: end < people.length ? String(end) : null }
    }
    chats.members(1)
    await settled()
    expect(chats.members(1)).toHaveLength(2_500)
    expect(chats.get(1).member_count).toBe(2_500)
    expect(rest.of('GET /chats/1/members')).toHaveLength(3)
  })

  test('are added, changed and removed', async () => {
    await chats.loadMembers(1)
    const carol = { id: 3, username: 'carol', display_name: 'Carol', status: 'online' }
    const there = new Map([
      [1, member(alice, 'owner')],
      [2, member(bob)],
    ])
    const put = ({ body }) => (there.set(3, member(carol, body.role)), there.get(3))
    rest.routes['GET /chats/1/members'] = () => ({ members: [...there.values()] })
    rest.routes['POST /chats/1/members'] = put
    rest.routes['PATCH /chats/1/members/3'] = put
    rest.routes['DELETE /chats/1/members/2'] = () => (there.delete(2), null)
    await chats.addMember(1, 3)
    expect(chats.get(1).member_count).toBe(3)
    await chats.changeMember(1, 3, { role: 'admin' })
    await chats.removeMember(1, 2)
    expect(roles()).toEqual([
      ['alice', 'owner'],
      ['carol', 'admin'],
    ])
  })

  test('are loaded again when the chat changes', async () => {
    await chats.loadMembers(1)
    rest.routes['GET /chats/1/members'] = { members: [member(alice, 'member')] }
    await app.deliver({ type: 'chat_changed', chat_id: 1, chat: { id: 1, name: 'Chat 1', seq: 1 } })
    expect(roles()).toEqual([['alice', 'member']])
    expect(chats.get(1).role).toBe('member')
  })

  test('a user who leaves loses the chat', async () => {
    rest.routes['DELETE /chats/1/members/1'] = null
    await chats.removeMember(1, alice.id)
    expect(chats.get(1)).toBeUndefined()
  })
})

describe('changes', () => {
  test('a chat is created, renamed and deleted', async () => {
    const rest = fakeRest({
      'POST /chats': ({ body }) => chat(5, 0, body),
      'PATCH /chats/5': ({ body }) => chat(5, 0, body),
      'DELETE /chats/5': null,
    })
    expect(await chats.create({ chat_type: 'group', name: 'New', member_ids: [2] })).toMatchObject({
      id: 5,
      name: 'New',
    })
    await chats.change(5, { name: 'Newer' })
    expect(chats.get(5).name).toBe('Newer')
    await chats.remove(5)
    expect(ids()).toEqual([])
    expect(rest.calls[0].body).toEqual({ chat_type: 'group', name: 'New', member_ids: [2] })
  })

  test('a private chat is requested by the id of the user', async () => {
    const rest = fakeRest({ 'POST /chats': chat(5, 0, { chat_type: 'private' }) })
    await chats.openPrivate(2)
    expect(rest.calls[0].body).toEqual({ chat_type: 'private', member_ids: [2] })
  })

  test('a refusal is thrown to the caller', async () => {
    fakeRest({ 'POST /chats': fail(422, 'invalid', { fields: { name: 'is required' } }) })
    await expect(chats.create({ chat_type: 'group' })).rejects.toMatchObject({ code: 'invalid' })
  })
})
