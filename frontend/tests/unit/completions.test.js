import { expect, test } from 'vitest'
import { beginningAt, emojiNameAt, matching } from '@/text/completions'

const at = (text) => beginningAt(text, text.length)

test.each([
  ['@', 'person', ''],
  ['hi @Bo', 'person', 'bo'],
  ['(@bob.', 'person', 'bob.'],
  ['привет, @Вер', 'person', 'вер'],
  [':sm', 'emoji', 'sm'],
  ['so :+1', 'emoji', '+1'],
  ['так :кот', 'emoji', 'кот'],
  ['`code` @b', 'person', 'b'],
])('%j begins a %s', (text, kind, query) => {
  const start = text.lastIndexOf(kind === 'person' ? '@' : ':')
  expect(at(text)).toEqual({ kind, query, start, end: text.length })
})

test.each([
  ...[
    '',
    'a',
    'a@b',
    '@bob ',
    '@@b',
    '.@b',
    `@${'b'.repeat(40)}`,
    ':s',
    ': sm',
    '10:30',
    'http:ab',
    'std::vec',
    ':-)',
    ':3a',
  ],
  ...['`@b', '`:sm', '```\n@b', '```\na\n:sm', '`a @b'],
])('%j begins nothing', (text) => expect(at(text)).toBe(null))

test('counts what is before the caret only', () => {
  expect(beginningAt('@bob and @ann', 3)).toMatchObject({ query: 'bo', start: 0, end: 3 })
  expect(beginningAt('`a` @b `c`', 6)).toMatchObject({ query: 'b' })
})

test.each([
  ['ok :smile:', 'smile'],
  [':+1:', '+1'],
  [':Кот:', 'кот'],
])('%j ends the name %j', (text, name) => expect(emojiNameAt(text, text.length)?.name).toBe(name))

test.each(['10:30:', 'a:b:', '::', '`:smile:', ':smile: '])('%j ends no name', (text) =>
  expect(emojiNameAt(text, text.length)).toBe(null),
)

test('people are found by username first, then by a word of their name', () => {
  const people = [
    { username: 'zoe', display_name: 'Anna Bo' },
    { username: 'boris', display_name: 'Борис Петрович' },
    { username: 'bo', display_name: 'X' },
  ]
  const found = (query) => matching(people, query).map(({ username }) => username)
  expect([found('bo'), found('пет'), found('x'), found('nna'), found('')]).toEqual([
    ['boris', 'bo', 'zoe'],
    ['boris'],
    ['bo'],
    [],
    ['zoe', 'boris', 'bo'],
  ])
})

test('a long text takes no longer', () => {
  for (const piece of ['`', '@', ':a', '`a`', '\n'])
    expect(() => at(piece.repeat(100_000 / piece.length))).not.toThrow()
})
