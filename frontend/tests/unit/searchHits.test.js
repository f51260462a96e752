import { describe, expect, test } from 'vitest'
import { hasLink, marksIn, matches, snippetOf } from '@/text/searchHits'
import { parseQuery } from '@/text/searchWords'

const marked = (text, q) => marksIn(text, parseQuery(q)).map(({ start, end }) => text.slice(start, end))
const shown = (text, q) =>
  snippetOf(text, parseQuery(q))
    .map((part) => (part.isFound ? `[${part.text}]` : part.text))
    .join('')

test.each([
  ['hello', 'Hello', true],
  ['hello', 'Othello', false],
  ['hel', 'hello', true],
  ['"hel"', 'hello', false],
  ['hello world', 'world, hello', true],
  ['hello wor', 'world, hello', true],
  ['"a b"', 'a, b', true],
  ['"a b"', 'ab', false],
  ['"a b"', 'xa b', false],
  ['"a b"', 'a bx', false],
  ['еж', 'Ёж', true],
  ['cafe', 'café', true],
  ['café', 'cafe', true],
  ['и', 'й', false],
  ['a', 'и a', true],
  ['e', 'é', true],
  ['xyz', '日本 abc', false],
])('%j in %j: %s', (q, text, expected) => {
  expect(matches(text, parseQuery(q))).toBe(expected)
})

test.each([
  ['see http://x.org', true],
  ['HTTPS://x', true],
  ['(https://x)', true],
  ['https:// x', false],
  ['xhttp://y', false],
  ['ftp://x', false],
  ['example.org', false],
])('a link in %j: %s', (text, expected) => {
  expect(hasLink(text)).toBe(expected)
})

describe('what is marked', () => {
  test.each([
    ['Tomato soup for lunch?', 'soup lun', ['soup', 'lun']],
    ['soups and a soup', 'soup', ['soup', 'soup']],
    ['soups and a soup', 'soup a', ['a', 'a', 'soup']],
    ['Ёлка и ёлки', 'елк', ['Ёлк', 'ёлк']],
    ['ЁЖ, еж, ежи', 'еж', ['ЁЖ', 'еж', 'еж']],
    ['Cre\u0300me', 'cre', ['Cre\u0300']],
    ['Crème brûlée', 'creme bru', ['Crème', 'brû']],
    ['Straße', 'strass', ['Straß']],
    ['tomato, soup; soup', '"tomato soup"', ['tomato, soup']],
    ['aa b aa b', '"aa b" b', ['aa b', 'aa b']],
    ['日本語が好き', '日本', ['日本']],
    ['nothing', 'x', []],
  ])('in %j by %j', (text, q, expected) => {
    expect(marked(text, q)).toEqual(expected)
  })
})

describe('what is shown', () => {
  test('is all of a short text, in one line', () => {
    expect(shown('Soup\n\tfor  lunch', 'lun')).toBe('Soup for [lun]ch')
  })

  test('begins a little before the first word that is found, with a whole word', () => {
    const text = `${'first words '.repeat(20)}then the tomato soup ${'and more '.repeat(40)}`
    expect(shown(text, 'tomato')).toMatch(/^…words then the \[tomato\] soup and more .*and…$|^….*\[tomato\]/)
    expect(shown(text, 'tomato').length).toBeLessThan(200)
    expect(shown(text, 'tomato')).not.toMatch(/^…\S*irst words first/)
  })

  test('is where most of the words are', () => {
    const text = `soup ${'x '.repeat(200)} tomato soup ${'y '.repeat(200)}`
    expect(shown(text, 'soup tomato')).toContain('[tomato] [soup]')
  })

  test('cuts no character in two', () => {
    const text = `${'👩‍🚀'.repeat(60)}soup${'👩‍🚀'.repeat(60)}`
    const [before, , after] = snippetOf(text, parseQuery('soup'))
      .map((part) => part.text)
      .filter((one) => one !== '…')
    for (const part of [before, after]) expect(part.replace('…', '').replaceAll('👩‍🚀', '')).toBe('')
  })

  test('is the beginning of a text in which nothing is found', () => {
    expect(shown('a file', '')).toBe('a file')
  })

  test('has no characters that change the direction', () => {
    expect(shown('\u202esoup', 'soup')).toBe('[soup]')
  })
})
