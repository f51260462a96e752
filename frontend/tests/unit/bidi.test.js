import { afterEach, expect, test } from 'vitest'
import { i18n, setLanguage } from '@/i18n'
import { isolated, oneLine, personName } from '@/text/bidi'

const { t } = i18n.global

await setLanguage('ru')
await setLanguage('en')
afterEach(() => setLanguage('en'))

test.each(['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'])(
  'a line has no %j',
  (control) => expect(oneLine(`a${control}b`)).toBe('ab'),
)

test.each(['\n', '\r\n', '\u2028', '\u2029', '\u0085', '\u000b'])('%j does not end a line', (end) =>
  expect(oneLine(`a${end}b`)).toBe('a b'),
)

test.each([
  ['Bob', 'Bob'],
  ['Борис', 'Борис'],
  ['Bob \u202eevil', 'Bob evil'],
  ['משה', '\u2068משה\u2069'],
  ['a\u2069 محمد', '\u2068a محمد\u2069'],
  ['a\u200f!', '\u2068a\u200f!\u2069'],
])('%j in a sentence', (text, expected) => expect(isolated(text)).toBe(expected))

test('every translation isolates the texts that are put into it', () => {
  expect(t('chat.typingTwo', { one: 'משה', other: '\u202eeve' })).toBe('\u2068משה\u2069 and eve are typing…')
  setLanguage('ru')
  expect(t('chatInfo.removeTitle', { name: 'שרה\u2069' })).toBe('Удалить из чата: \u2068שרה\u2069?')
})

test('numbers stay numbers', () => {
  expect(t('chats.members', 2)).toBe('2 members')
  expect(t('chats.members', { n: 2 }, 2)).toBe('2 members')
})

test('a user is called by the display name, or else by the username', () => {
  expect(personName({ display_name: 'Eve\u202e', username: 'eve' })).toBe('Eve')
  expect(personName({ display_name: '', username: 'eve' })).toBe('eve')
})
