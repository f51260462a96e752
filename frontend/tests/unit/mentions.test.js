import { expect, test } from 'vitest'
import { mayMentionAll, mentionOf, mentionsIn } from '@/text/mentions'

const found = (text) => mentionsIn(text, 0, text.length).map(({ start, end }) => text.slice(start, end))

test.each([
  ['@bob', ['@bob']],
  ['hi @bob, @ann-b.c!', ['@bob', '@ann-b.c']],
  ['(@bob)/@ann', ['@bob', '@ann']],
  ['@bob.', ['@bob.']],
  ['a@bob 1@bob я@bob _@bob .@bob -@bob @@bob', []],
  ['@bobя @bob. я', ['@bob.']],
  ['@', []],
])('in %j', (text, expected) => expect(found(text)).toEqual(expected))

test('what is before a part counts', () => {
  expect(mentionsIn('a@bob', 1, 5)).toEqual([])
  expect(mentionsIn('я@bob @ann', 1, 10)).toEqual([{ start: 6, end: 10 }])
})

test.each([
  ['@bob', ['bob'], { username: 'bob', end: 4 }],
  ['@Bob.', ['bob'], { username: 'bob', end: 4 }],
  ['@bob.-', ['bob'], { username: 'bob', end: 4 }],
  ['@bob.', ['bob', 'bob.'], { username: 'bob.', end: 5 }],
  ['@bob_', ['bob'], null],
  ['@bobby', ['bob'], null],
  ['@...', ['bob'], null],
])('%j among %j', (text, names, expected) =>
  expect(mentionOf(text, (username) => names.includes(username))).toEqual(expected),
)

test.each([
  [true, { chat_type: 'group', role: 'member', member_count: 100 }],
  [false, { chat_type: 'group', role: 'member', member_count: 101 }],
  [true, { chat_type: 'group', role: 'admin', member_count: 101 }],
  [false, { chat_type: 'channel', role: 'member', member_count: 2 }],
  [true, { chat_type: 'channel', role: 'owner', member_count: 2 }],
  [false, { chat_type: 'private', role: 'owner', member_count: 2 }],
])('%s: all of %o', (expected, chat) => expect(mayMentionAll(chat)).toBe(expected))
