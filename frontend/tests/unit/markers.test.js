import { expect, test } from 'vitest'
import { BOLD, CODE, ITALIC, toggled } from '@/text/markers'

/** Applies a marker to a text whose selection, or caret, is shown by brackets or a bar. */
function apply(shown, marker) {
  const from = shown.search(/[[|]/)
  const to = shown.includes('|') ? from : shown.indexOf(']') - 1
  const text = shown.replace(/[[\]|]/g, '')
  const { start, end, insert, selected } = toggled(text, from, to, marker)
  const changed = text.slice(0, start) + insert + text.slice(end)
  const [first, last] = selected
  if (first === last) return `${changed.slice(0, first)}|${changed.slice(first)}`
  return `${changed.slice(0, first)}[${changed.slice(first, last)}]${changed.slice(last)}`
}

test.each([
  [BOLD, 'make [this] bold', 'make [**this**] bold'],
  [ITALIC, 'make [this ]so', 'make [_this_] so'],
  [BOLD, '[**this**]', '[this]'],
  [BOLD, '**[this]**', '[this]'],
  [ITALIC, '**[this]**', '**[_this_]**'],
  [BOLD, '_[this]_', '_[**this**]_'],
  [BOLD, '[a\n\n  b]', '[**a**\n\n  **b**]'],
  [BOLD, '[**a**\n\n  **b**]', '[a\n\n  b]'],
  [BOLD, '[**a**\nb]', '[**a**\n**b**]'],
  [BOLD, 'a |', 'a **|**'],
  [BOLD, 'a **|**', 'a |'],
  [BOLD, '**a|**', '**a**|'],
  [CODE, 'a [b`c]', 'a [`` b`c ``]'],
  [CODE, '[a]', '[`a`]'],
  [CODE, '`[a]`', '[a]'],
  [CODE, 'see [a\n  b]', 'see \n```\n[a\n  b]\n```'],
  [CODE, '  [a\n  b]\nc', '```\n[  a\n  b]\n```\nc'],
  [CODE, '```\n[a\n  b]\n```', '[a\n  b]'],
  [ITALIC, '[מילה]', '[_מילה_]'],
])('%s of %j', (marker, text, expected) => expect(apply(text, marker)).toBe(expected))
