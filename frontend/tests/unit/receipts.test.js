/** Receipts and quotes of messages that are not loaded. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { createMessageWindow } from '@/timeline/messageWindow'
import { fail, fakeRest, later } from './fakeRest'
import { openApp, settled } from './app'

let app, chats, rest, scope, timeline, messageWindow

const bob = { id: 2, username: 'bob', display_name: 'Bob', status: 'online' }
const message = (id, more = {}) => ({ id, chat_id: 1, seq: id, changed_seq: id, content: `m${id}`, ...more })
const page = (...messages) => ({ messages, has_more_before: false, has_more_after: false, head_seq: 9 })

beforeEach(async () => {
  app = await openApp()
  const { shallowReactive } = await import('vue')
  chats = (await import('@/stores/chats')).useChats()
  messageWindow = createMessageWindow()
  timeline = {
    state: shallowReactive({ messages: [], status: 'live' }),
    get: messageWindow.get,
    isDeleted: messageWindow.isDeleted,
    load(...messages) {
      messageWindow.replace(page(...messages))
      this.state.messages = messageWindow.messages
    },
    remove(id) {
      messageWindow.remove(id)
      this.state.messages = messageWindow.messages
    },
  }
  rest = fakeRest({ 'GET /chats': { chats: [], next_cursor: null }, 'GET /users/me': bob })
  scope = effectScope()
})

afterEach(() => {
  scope.stop()
  app.websocket.disconnect()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('how far others have read', () => {
  async function open(mark) {
    const me = { user: { ...bob, id: 1 }, role: 'member', last_read_message_id: 90, read_seq: 90 }
    rest.routes['GET /chats/1/members'] = {
      members: [me, { user: bob, role: 'member', joined_at: '', ...mark }],
    }
    await app.connect()
    const { useReceipts } = await import('@/composables/useReceipts')
    const { readSeq } = scope.run(() => useReceipts(1, timeline))
    void readSeq.value
    await settled()
    return readSeq
  }

  test('is known by seq, whatever is loaded', async () => {
    timeline.load(message(1), message(2))
    const readSeq = await open({ last_read_message_id: 70, read_seq: 70 })
    expect(readSeq.value).toBe(70)
    await app.deliver({ type: 'messages_read', chat_id: 1, user_id: 2, up_to: 80, read_seq: 80 })
    expect(readSeq.value).toBe(80)
    await app.deliver({ type: 'messages_read', chat_id: 2, user_id: 2, up_to: 99, read_seq: 99 })
    expect(readSeq.value).toBe(80)
  })

  test('says who has read a message of the group, and who has not', async () => {
    const carol = { ...bob, id: 3, username: 'carol' }
    rest.routes['GET /chats/1/members'] = {
      members: [
        { user: { ...bob, id: 1 }, role: 'owner', joined_at: '', last_read_message_id: 9, read_seq: 9 },
        { user: bob, role: 'member', joined_at: '', last_read_message_id: 4, read_seq: 4 },
        { user: carol, role: 'member', joined_at: '', last_read_message_id: null, read_seq: 0 },
      ],
    }
    await app.connect()
    const { useReceipts } = await import('@/composables/useReceipts')
    const { readSeq, readersOf } = scope.run(() => useReceipts(1, timeline))
    void readSeq.value
    await settled()
    const names = (seq, sender_id) =>
      Object.values(readersOf({ seq, sender_id })).map((members) =>
        members.map(({ user }) => user.username).join(),
      )
    expect(names(4, 1)).toEqual(['bob', 'carol'])
    expect(names(5, 1)).toEqual(['', 'bob,carol'])
    expect(names(4, 2)).toEqual(['', 'carol']) // without the sender
    await app.deliver({ type: 'messages_read', chat_id: 1, user_id: 3, up_to: 5, read_seq: 5 })
    expect(names(5, 1)).toEqual(['carol', 'bob'])
  })

  test('stays when the message of the mark is deleted', async () => {
    timeline.load(message(1), message(2), message(3))
    const readSeq = await open({ last_read_message_id: 3 }) // as an older server sends it
    expect(readSeq.value).toBe(3)
    timeline.remove(3)
    await nextTick()
    expect(readSeq.value).toBe(3)
  })

  test('does not go back with an older answer', async () => {
    const readSeq = await open({ last_read_message_id: 5, read_seq: 5 })
    await app.deliver({ type: 'messages_read', chat_id: 1, user_id: 2, up_to: 8, read_seq: 8 })
    await chats.loadMembers(1)
    expect(readSeq.value).toBe(8)
  })

  test('is known from an older server once the message is loaded', async () => {
    timeline.load(message(1))
    const readSeq = await open({ last_read_message_id: 4 })
    expect(readSeq.value).toBe(0)
    timeline.load(message(3), message(4))
    await nextTick()
    expect(readSeq.value).toBe(4)
  })

  test('is 0 if nobody has read anything', async () => {
    const readSeq = await open({ last_read_message_id: null, read_seq: 0 })
    expect(readSeq.value).toBe(0)
  })
})

describe('a quote', () => {
  async function open() {
    await app.connect()
    const { useQuotes } = await import('@/composables/useQuotes')
    return scope.run(() => useQuotes(1, timeline))
  }
  const asked = () => rest.of('GET /chats/1/messages').map(({ query }) => query)

  test('of a message that is not loaded is fetched once', async () => {
    rest.routes['GET /chats/1/messages'] = page(message(5))
    const { quoteOf } = await open()
    expect([quoteOf(5), quoteOf(5)]).toEqual([undefined, undefined])
    await settled()
    expect(quoteOf(5)).toMatchObject({ content: 'm5' })
    expect(asked()).toEqual([{ around: '5', limit: '1' }])
  })

  test('of a deleted message causes no error', async () => {
    rest.routes['GET /chats/1/messages'] = page(message(6)) // the page around it begins with the next one
    const { quoteOf } = await open()
    quoteOf(5)
    await settled()
    expect(quoteOf(5)).toBeNull()
  })

  test('disappears with its message, also while that is fetched', async () => {
    const answer = later()
    rest.routes['GET /chats/1/messages'] = () => answer.promise
    const { quoteOf } = await open()
    quoteOf(5)
    await settled()
    await app.deliver({ type: 'message_deleted', chat_id: 1, message_id: 5, seq: 9 })
    answer.resolve(page(message(5)))
    await settled()
    expect(quoteOf(5)).toBeNull()
  })

  test('changes with its message', async () => {
    rest.routes['GET /chats/1/messages'] = page(message(5))
    const { quoteOf } = await open()
    quoteOf(5)
    await settled()
    const edited = message(5, { content: 'better', changed_seq: 10 })
    await app.deliver({ type: 'message_updated', chat_id: 1, message: edited, seq: 10 })
    expect(quoteOf(5).content).toBe('better')
    await app.deliver({ type: 'message_deleted', chat_id: 1, message_id: 5, seq: 11 })
    expect(quoteOf(5)).toBeNull()
  })

  test('is fetched again after too long a break, or after a lost answer', async () => {
    rest.routes['GET /chats/1/messages'] = () => fail(503, 'unavailable')
    const { quoteOf } = await open()
    quoteOf(5)
    await settled()
    rest.routes['GET /chats/1/messages'] = page(message(5))
    quoteOf(5)
    await settled()
    expect(quoteOf(5)).toMatchObject({ content: 'm5' })
    timeline.state.status = 'loading'
    await nextTick()
    rest.routes['GET /chats/1/messages'] = page()
    quoteOf(5)
    await settled()
    expect(quoteOf(5)).toBeNull()
  })
})
