import { describe, expect, test } from 'vitest'
import { loadEmoji } from '@/emoji/emojiList'
import { codeOf, emojiOfName, searchEmoji } from '@/emoji/searchEmoji'

const search = async (language, text, options = {}) =>
  searchEmoji(await loadEmoji(language), text, { limit: 5, ...options }).map(({ emoji }) => emoji)

describe('the list', () => {
  test('has no emoji twice, no skin tone alone, and no selector without an effect', async () => {
    const list = await loadEmoji('en')
    const signs = list.map(({ emoji }) => emoji)
    expect(new Set(signs).size).toBe(signs.length)
    expect(signs.length).toBeGreaterThan(1_800)
    expect([
      signs.includes('👍'),
      signs.includes('👍\ufe0f'),
      signs.includes('❤️'),
      signs.includes('🏽'),
    ]).toEqual([true, false, true, false])
  })

  test('is loaded once for each language', async () => {
    expect(loadEmoji('ru')).toBe(loadEmoji('ru'))
    const [russian, english] = await Promise.all([loadEmoji('ru'), loadEmoji('en')])
    expect([emojiOfName(russian, 'cat').name, emojiOfName(english, 'cat').name]).toEqual(['кошка', 'cat'])
  })

  test('has five skin tones of what has some', async () => {
    const list = await loadEmoji('en')
    expect(emojiOfName(list, '+1').skins).toEqual(['👍🏻', '👍🏼', '👍🏽', '👍🏾', '👍🏿'])
    expect(list.every(({ skins }) => [0, 5].includes(skins.length))).toBe(true)
  })
})

describe('a search', () => {
  test.each([
    ['en', 'smile', '😄'],
    ['en', ':tada:', '🎉'],
    ['en', '+1', '👍'],
    ['en', 'red heart', '❤️'],
    ['ru', 'кот', '🐈'],
    ['ru', 'tada', '🎉'],
    ['ru', 'алое сердце', '❤️'],
  ])('in %s for %j finds %s first', async (language, text, first) => {
    expect((await search(language, text))[0]).toBe(first)
  })

  test.each(['', ' ', 'xyzxyz', ':'])('for %j finds nothing', async (text) => {
    expect(await search('en', text)).toEqual([])
  })

  test('prefers what was used lately among equals, and has a limit', async () => {
    expect(await search('en', 'gri', { recent: ['😬'] })).toHaveLength(5)
    expect((await search('en', 'gri', { recent: ['😬'] }))[0]).toBe('😬')
  })
})

test('the code that is shown begins as the query does', () => {
  const emoji = { codes: ['grinning_face', 'smile'] }
  expect([codeOf(emoji), codeOf(emoji, 'gri'), codeOf(emoji, 'x'), codeOf({ codes: [] })]).toEqual([
    'smile',
    'grinning_face',
    'smile',
    '',
  ])
})
