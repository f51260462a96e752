import { expect, test } from 'vitest'
import { isSearchable, parseQuery, wordsIn } from '@/text/searchWords'

const words = (text) => wordsIn(text).map((word) => word.text)

// The same as in tests/domain/test_search.py: what the server finds is marked.
test.each([
  ['', ''],
  ['Hello, World!', 'hello world'],
  ['snake_case kebab-case a.b', 'snake_case kebab case a b'],
  ['42 3.14 x2', '42 3 14 x2'],
  ['Ёлка ёж ЁЖ', 'елка еж еж'],
  ['е\u0308ж', 'еж'],
  ['Йод и\u0306од Ўзбек', 'йод йод ўзбек'],
  ['ый \u2764\ufe0f 😀', 'ый'],
  ['Crème BRÛLÉE nai\u0308ve', 'creme brulee naive'],
  ['Łódź Øl Đ ħ', 'lodz ol d h'],
  ['Straße STRASSE', 'strasse strasse'],
  ['Ἀθήνα ΑΘΗΝΑ ᾳ σοφός', 'αθηνα αθηνα α σοφοσ'],
  ['x\u0301\u0302 q\u0303', 'x q'],
  ['İstanbul ıI', 'istanbul ıi'],
  ['ﬁne ½ ① x² Ａ', 'fine 1 2 1 x2 a'],
  ['№5 ™ ℃', '5'],
  ['日本語が好き。はい', '日本語が好き はい'],
  ['ｶﾞ', 'ガ'],
  ['हिन्दी', 'हिन्दी'],
  ['\u0301\u0302 a', 'a'],
  ['a\ufe0fb', 'a b'],
  ['tab\tline\nend\x00nul', 'tab line end nul'],
])('the words of %j', (text, expected) => {
  expect(words(text)).toEqual(expected.split(' ').filter(Boolean))
})

test('words know where they stand', () => {
  const text = '… ёж, Ёлка!'
  expect(wordsIn(text).map(({ start, end }) => text.slice(start, end))).toEqual(['ёж', 'Ёлка'])
})

const query = (words = [], prefix = '', phrases = []) => ({ words, prefix, phrases })

test.each([
  ['Foo', query([], 'foo')],
  ['foo bar ', query(['foo'], 'bar')],
  ['"foo"', query([], '', [['foo']])],
  ['"foo bar" baz', query([], 'baz', [['foo', 'bar']])],
  ['baz "foo bar"', query(['baz'], '', [['foo', 'bar']])],
  ['a "b" c "d" e', query(['a', 'c'], 'e', [['b'], ['d']])],
  ['a "b c', query(['a', 'b'], 'c')],
  ['a "b" c "d', query(['a', 'c'], 'd', [['b']])],
  ['foo"bar', query(['foo'], 'bar')],
  ['""', query()],
  ['a ""', query([], 'a')],
  ['"', query()],
  ['a-b', query(['a'], 'b')],
  ['a OR (b*)', query(['a', 'or'], 'b')],
  ['!', query()],
])('the query of %j', (text, expected) => {
  expect(parseQuery(text)).toEqual(expected)
})

test.each([
  ['', false],
  [' !_', false],
  ['а', true],
  ['½', true],
  ['日', true],
])('%j can be looked for: %s', (text, expected) => {
  expect(isSearchable(text)).toBe(expected)
})

test('runs of marks do not take long', () => {
  const begun = performance.now()
  words('ы' + '\u0301\u0316'.repeat(5_000) + ' a' + '\u0301\u0316'.repeat(5_000))
  expect(performance.now() - begun).toBeLessThan(1_000)
})
