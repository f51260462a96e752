import { expect, test } from 'vitest'
import { partsOf } from '@/text/links'

/** The text with its links in angle brackets. */
const marked = (text) =>
  partsOf(text)
    .map((part) => (part.href ? `<${part.href}>` : part.text))
    .join('')

test.each([
  ['no link', 'no link'],
  ['https://example.org', '<https://example.org>'],
  ['see https://example.org/a?b=1#c.', 'see <https://example.org/a?b=1#c>.'],
  ['(http://example.org/a)', '(<http://example.org/a>)'],
  ['https://example.org/a_(b)', '<https://example.org/a_(b)>'],
  ['(https://example.org/a_(b)).', '(<https://example.org/a_(b)>).'],
  ['«https://пример.рф/путь»!', '«<https://пример.рф/путь>»!'],
  ['two https://a.org, https://b.org', 'two <https://a.org>, <https://b.org>'],
  ['line\nhttps://a.org\nline', 'line\n<https://a.org>\nline'],
  ['javascript:alert(1) data:text/html,x', 'javascript:alert(1) data:text/html,x'],
  ['https://', 'https://'],
])('%s', (text, expected) => {
  expect(marked(text)).toBe(expected)
  expect(
    partsOf(text)
      .map((part) => part.text)
      .join(''),
  ).toBe(text)
})

// In time that grows with the square of the length these would take minutes: the test's own time limit fails it.
test.each([[`https://${')'.repeat(2_000_000)}`], [`https://a${'.'.repeat(2_000_000)}x`]])(
  'takes no longer for a text made to be slow: %.20s',
  (text) =>
    expect(
      partsOf(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text),
)
