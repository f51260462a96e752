/** After a restored backup the server has another epoch, and its numbers start lower. */

import { beforeEach, expect, test, vi } from 'vitest'
import { createTimeline } from '@/timeline/timeline'
import { openApp, settled } from './app'
import { FakeChat, settle } from './fakeChat'
import { fakeRest } from './fakeRest'
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

let app, chats, answer

beforeEach(async () => {
  app = await openApp()
  chats = (await import('@/stores/chats')).useChats()
  fakeRest({
    'GET /users/me': { id: 1 },
    'GET /chats': () => ({ chats: [answer], next_cursor: null }),
    'GET /chats/7': () => answer,
  })
})

async function connect(epoch) {
  app.websocket.disconnect()
  app.websocket.connect('T')
  await settled()
  FakeSocket.last.accept(1, { epoch })
  await settled()
}

test('the list shows the restored chat, though its numbers are lower', async () => {
  answer = summary(50, 'lost')
  await connect('e1')
  answer = summary(20, 'restored')
  await connect('e1') // of one epoch a lower number is an older answer
  expect(chats.get(7).last_message.content).toBe('lost')
  expect(chats.restores).toBe(0)
  await connect('e2')
  expect(chats.get(7)).toMatchObject({ seq: 20, read_seq: 20, last_message: { content: 'restored' } })
  expect(chats.restores).toBe(1)
})

test('a join from the list names the epoch of its position', async () => {
  answer = summary(50, 'x')
  await connect('e1')
  chats.join(7)
  expect(FakeSocket.last.sent.at(-1)).toMatchObject({ type: 'join_chat', after_seq: 50, epoch: 'e1' })
})

test('a timeline joins with the epoch in which it was loaded, and loads anew after a gap', async () => {
  const server = new FakeChat()
  server.write('one')
  server.websocket.state.epoch = 'e1'
  const request = vi.spyOn(server.websocket, 'request')
  const timeline = createTimeline(7, server)
  async function follow() {
    server.disconnect()
    server.connect()
    timeline.follow()
    for (let turn = 0; turn < 6; turn++) {
      server.pages.splice(0).forEach((page) => page.answer())
      server.work()
      while (server.deliver()) await settle()
      await settle()
    }
  }
  await follow()
  expect(request.mock.lastCall[0]).toMatchObject({ after_seq: 1, epoch: 'e1' })
  server.websocket.state.epoch = 'e2'
  server.epoch = 'e2'
  server.all.clear()
  server.write('restored')
  await follow()
  expect(request.mock.calls.at(-2)[0]).toMatchObject({ after_seq: 1, epoch: 'e1' })
  expect(request.mock.lastCall[0]).toMatchObject({ epoch: 'e2' })
  expect(timeline.state.messages.map(({ content }) => content)).toEqual(['restored'])
  timeline.dispose()
})
