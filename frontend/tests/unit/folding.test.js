import { describe, expect, test } from 'vitest'
import { beginningOf, isLong } from '@/text/folding'
import { formatted } from '@/text/format'

const textOf = (nodes) =>
  nodes.map(({ text, label, children }) => (children ? textOf(children) : (label ?? text))).join('')
const beginning = (text) => textOf(beginningOf(formatted(text)))

test.each([
  [false, 'a', 24 * 60],
  [true, 'a', 24 * 60 + 1],
  [false, 'a\n', 23],
  [true, 'a\n', 24],
  [true, `${'a'.repeat(59)} `, 30],
  [true, '\n', 10_000],
])('%s: %j, %i times', (expected, text, times) => expect(isLong(text.repeat(times))).toBe(expected))

describe('the beginning of a long text', () => {
  test('has a bounded number of characters and ends after a word', () => {
    const shown = beginning('words and more '.repeat(600))
    expect(shown.length).toBeLessThan(725)
    expect(shown).toMatch(/(words|and|more)…$/)
  })

  test.each([['a\n'], ['- a\n'], ['> a\n'], ['**a**\n'], ['1. a\n   b\n']])(
    'has a bounded number of lines: %j',
    (text) => {
      const nodes = beginningOf(formatted(text.repeat(1_000)))
      expect(textOf(nodes).length).toBeLessThan(80)
      expect(JSON.stringify(nodes).length).toBeLessThan(2_000)
    },
  )

  test.each([['*a* '], ['`a` '], ['@a '], ['https://a.b/c '], ['~~漢~~']])(
    'has a bounded number of nodes: %j',
    (text) => expect(JSON.stringify(beginningOf(formatted(text.repeat(2_000)))).length).toBeLessThan(60_000),
  )

  test('is cut in code as well', () => {
    const code = `\`\`\`\n${'line\n'.repeat(100)}\`\`\``
    expect(beginningOf(formatted(code))).toMatchObject([
      { kind: 'codeBlock', text: expect.stringMatching(/^(line\n){10}line…$/) },
    ])
  })

  test('splits no character', () => {
    for (const unit of ['👍🏽', 'a\u0301', '😀', '\u{20000}'])
      expect(beginning(unit.repeat(2_000))).toMatch(new RegExp(`^(${unit})+…$`, 'u'))
  })

  test('of a text that is not long is all of it', () => {
    const text = '**a** b\n> c\n- d'
    expect(beginningOf(formatted(text))).toEqual(formatted(text))
  })
})
