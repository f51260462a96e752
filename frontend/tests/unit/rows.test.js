import { expect, test } from 'vitest'
import { rowsOf } from '@/timeline/rows'

const NOON = Date.parse('2025-11-23T12:00:00')
const message = (seq, minutes, more = {}) => ({
  id: seq + 100,
  seq,
  content: `m${seq}`,
  sender_id: 2,
  created_at: new Date(NOON + minutes * 60_000).toISOString(),
  reply_to: null,
  ...more,
})
const entry = (clientId, minutes) => ({
  clientId,
  chatId: 7,
  content: clientId,
  replyTo: null,
  writtenAt: NOON + minutes * 60_000,
  state: 'sending',
})

/** A message as its group shows: `(` where one starts, `)` where it ends. */
function drawn(messages, options) {
  return rowsOf(messages, { entries: [], ownId: 1, unreadFrom: null, ...options })
    .map((row) => {
      if (row.kind !== 'message') return row.kind
      return `${row.startsGroup ? '(' : ''}${row.message.content}${row.endsGroup ? ')' : ''}`
    })
    .join(' ')
}

test('messages by one sender with little time between them are a group', () => {
  const messages = [message(1, 0), message(2, 4), message(3, 10), message(4, 11, { sender_id: 3 })]
  expect(drawn(messages)).toBe('day (m1 m2) (m3) (m4)')
})

test('a reply begins a group', () => {
  expect(drawn([message(1, 0), message(2, 1, { reply_to: 101 }), message(3, 2)])).toBe('day (m1) (m2 m3)')
})

test('days and the unread line end a group', () => {
  const messages = [message(1, 0), message(2, 1), message(3, 24 * 60)]
  expect(drawn(messages, { unreadFrom: 2 })).toBe('day (m1) unread (m2) day (m3)')
})

test('the unread line stays when its message is deleted', () => {
  const messages = [message(1, 0), message(3, 1), message(4, 1)]
  expect(drawn(messages, { unreadFrom: 2 })).toBe('day (m1) unread (m3 m4)')
  expect(drawn(messages.slice(1), { unreadFrom: 2 })).toBe('day (m3 m4)')
})

test('the message before the first one counts', () => {
  expect(drawn([message(2, 1)], { previous: message(1, 0) })).toBe('m2)')
  expect(drawn([message(2, 24 * 60)], { previous: message(1, 0) })).toBe('day (m2)')
})

test('an entry of the outbox becomes its message without a new key', () => {
  const options = { entries: [entry('a', 1), entry('b', 1)], ownId: 1, unreadFrom: null }
  const before = rowsOf([message(1, 0)], options)
  const stored = message(2, 1, { sender_id: 1, client_id: 'a' })
  const after = rowsOf([message(1, 0), stored], options)
  expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key))
  expect(after.map(({ entry }) => entry?.clientId)).toEqual([undefined, undefined, undefined, 'b'])
})

test('the client_id of another user does not count', () => {
  const messages = [message(1, 0, { client_id: 'a' }), message(2, 0, { client_id: 'a', sender_id: 3 })]
  const rows = rowsOf(messages, { entries: [entry('a', 1)], ownId: 1, unreadFrom: null })
  expect(new Set(rows.map(({ key }) => key)).size).toBe(4)
})
