/** After a restored backup the server has another epoch, and its numbers start lower. */

import { beforeEach, expect, test, vi } from 'vitest'
import { createTimeline } from '@/timeline/timeline'
import { openApp, settled } from './app'
import { FakeChat, settle } from './fakeChat'
import { fail, fakeRest, later } from './fakeRest'
import { FakeSocket } from './fakeSocket'

const summary = (seq, content) => ({
  id: 7,
  name: 'Lobby',
  chat_type: 'group',
  created_at: '2025-11-23T10:00:00+00:00',
  created_by: 1,
  member_count: 2,
  seq,
  role: 'owner',
  unread_count: 0,
  last_message: {
    id: seq,
    chat_id: 7,
    seq,
    changed_seq: seq,
    content,
    sender_id: 2,
    created_at: '2025-11-23',
  },
  last_read_message_id: seq,
  read_seq: seq,
})

let app, chats, answer, rest

beforeEach(async () => {
  app = await openApp()
  chats = (await import('@/stores/chats')).useChats()
  rest = fakeRest({
    'GET /users/me': { id: 1 },
    'GET /chats': () => ({ chats: [answer], next_cursor: null }),
    'GET /chats/7': () => answer,
  })
})

async function stores() {
  const { useSession } = await import('@/stores/session')
  const { useUsers } = await import('@/stores/users')
  const { usePlaces } = await import('@/stores/places')
  const { useTimelines } = await import('@/stores/timelines')
  const { useDrafts } = await import('@/stores/drafts')
  return {
    session: useSession(),
    users: useUsers(),
    places: usePlaces(),
    timelines: useTimelines(),
    drafts: useDrafts(),
  }
}

async function connect(epoch) {
  app.websocket.disconnect()
  app.websocket.connect('T')
  await settled()
  FakeSocket.last.accept(1, { epoch })
  await settled()
}

test('the list shows the restored chat, though its numbers are lower', async () => {
  const { session } = await stores()
  answer = summary(50, 'lost')
  await connect('e1')
  answer = summary(20, 'restored')
  await connect('e1') // of one epoch a lower number is an older answer
  expect(chats.get(7).last_message.content).toBe('lost')
  expect(session.restores).toBe(0)
  await connect('e2')
  expect(chats.get(7)).toMatchObject({ seq: 20, read_seq: 20, last_message: { content: 'restored' } })
  expect(session.restores).toBe(1)
})

test('what was known of chats, people, places and oneself is known no more', async () => {
  const { session, users, places, timelines } = await stores()
  answer = summary(50, 'lost')
  await connect('e1')
  users.put({ id: 2, display_name: 'Who was 2 before' })
  places.keep(7, { id: 50, seq: 50, top: 0 })
  const timeline = timelines.open(7)
  rest.routes['GET /chats'] = { chats: [], next_cursor: null }
  rest.routes['GET /chats/7'] = fail(404, 'not_found')
  rest.routes['GET /users/me'] = { id: 1, display_name: 'As it was', is_admin: false }
  await connect('e2')
  expect([chats.list, chats.get(7), users.known(2), places.get(7)]).toEqual([[], undefined, undefined, null])
  expect(session.me).toEqual({ id: 1, display_name: 'As it was', is_admin: false })
  expect(timelines.open(7)).not.toBe(timeline)
})

test('an answer from before does not count, not even one that comes late', async () => {
  answer = summary(50, 'lost')
  await connect('e1')
  const slow = later()
  rest.routes['GET /chats/7'] = () => slow.promise
  chats.check(7)
  await settled()
  answer = summary(20, 'restored')
  await connect('e2')
  slow.resolve(summary(51, 'lost too'))
  await settled()
  expect(chats.get(7)).toMatchObject({ seq: 20, last_message: { content: 'restored' } })
})

test('a restore is seen by a page that was loaded since, and a draft then has its text alone', async () => {
  answer = summary(50, 'lost')
  await connect('e1')
  const typed = { text: 'typed', replyTo: 5, edit: { message: { id: 9, content: 'old' }, text: 'changed' } }
  ;(await stores()).drafts.set(7, typed)
  const kept = { ...localStorage }
  app = await openApp()
  Object.assign(localStorage, kept)
  chats = (await import('@/stores/chats')).useChats()
  const { drafts, session } = await stores()
  expect(drafts.get(7)).toMatchObject({ replyTo: 5, edit: { text: 'changed' } })
  answer = summary(20, 'restored')
  await connect('e2')
  expect(session.restores).toBe(1)
  expect(drafts.get(7)).toMatchObject({ text: 'changed\ntyped', replyTo: null, edit: null })
})

test('a join from the list names the epoch of its position', async () => {
  answer = summary(50, 'x')
  await connect('e1')
  chats.join(7)
  expect(FakeSocket.last.sent.at(-1)).toMatchObject({ type: 'join_chat', after_seq: 50, epoch: 'e1' })
})

test('a timeline begins anew at the end of the restored chat, and tells of what arrives', async () => {
  const server = new FakeChat()
  server.write('one')
  const lost = server.write('lost')
  server.websocket.state.epoch = 'e1'
  const request = vi.spyOn(server.websocket, 'request')
  const timeline = createTimeline(7, server)
  const arrived = []
  timeline.onArrival(({ content }) => arrived.push(content))
  async function deliver() {
    for (let turn = 0; turn < 6; turn++) {
      server.pages.splice(0).forEach((page) => page.answer())
      server.work()
      while (server.deliver()) await settle()
      await settle()
    }
  }
  async function follow() {
    server.disconnect()
    server.connect()
    timeline.follow()
    await deliver()
  }
  await follow()
  expect(request.mock.lastCall[0]).toMatchObject({ after_seq: 2, epoch: 'e1' })
  timeline.stayAt(lost)
  server.websocket.state.epoch = server.epoch = 'e2'
  server.all.clear()
  server.head = 0
  server.write('restored')
  await follow()
  expect(request.mock.lastCall[0]).toMatchObject({ after_seq: 1, epoch: 'e2' })
  expect(timeline.state.messages.map(({ content }) => content)).toEqual(['restored'])
  server.write('new')
  await deliver()
  expect(timeline.state.messages.map(({ content }) => content)).toEqual(['restored', 'new'])
  expect(arrived).toEqual(['new'])
  timeline.dispose()
})
