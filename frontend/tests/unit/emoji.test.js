import { expect, test } from 'vitest'
import { emojiCount } from '@/text/emoji'

test.each([
  ['👍', 1],
  [' 😀 🎉\n', 2],
  ['❤️', 1],
  ['❤️❤️❤️', 3],
  ['👍🏽', 1],
  ['👩🏽‍🚀👨‍👩‍👧‍👦', 2],
  ['🇷🇺', 1],
  ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', 1],
  ['1️⃣', 1],
  ['😀'.repeat(12), 12],
])('%s: %i', (text, count) => expect(emojiCount(text, 12)).toBe(count))

test.each([
  '',
  ' ',
  '1',
  '12',
  '#',
  '©',
  '™',
  '❤',
  'a👍',
  '👍a',
  ':)',
  '\u200d',
  '\ufe0f',
  '😀'.repeat(13),
  '漢',
  '🏽a',
])('not only emoji, or too many: %j', (text) => expect(emojiCount(text, 12)).toBe(0))

test.each(['👍', '👍\u200d', '❤️\u200d', '🇷', ' ', '👍 ', '1️'])(
  'takes no longer for a text made to be slow: %j',
  (text) => expect(emojiCount(`${text.repeat(100_000)}x`, 1_000_000)).toBe(0),
)
