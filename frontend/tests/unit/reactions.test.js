import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { drawnEmoji, pillsOf, storedEmoji } from '@/text/reactions'
import { openApp, settled } from './app'
import { FakeSocket } from './fakeSocket'

const heart = '\u2764'
const shrug = '\u{1f937}\u200d\u2642'

describe('emoji', () => {
  test.each([
    ['👍', '👍', '👍'],
    ['\u2764\ufe0f', heart, '\u2764\ufe0f'],
    [heart, heart, '\u2764\ufe0f'],
    [`${shrug}\ufe0f`, shrug, `${shrug}\ufe0f`],
    ['👍🏽', '👍🏽', '👍🏽'],
    ['🇩🇪', '🇩🇪', '🇩🇪'],
    ['1\ufe0f\u20e3', '1\ufe0f\u20e3', '1\ufe0f\u20e3'],
  ])('%s is stored as %s and drawn as %s', (emoji, stored, drawn) => {
    expect(storedEmoji(emoji)).toBe(stored)
    expect(drawnEmoji(stored)).toBe(drawn)
  })
})

describe('pills', () => {
  const wishes = (...entries) => new Map(entries)

  test('are the reactions in the order of the server', () => {
    expect(pillsOf({ '🎉': [3, 1], '👍': [2] }, 1)).toEqual([
      { emoji: '🎉', userIds: [3, 1], isOwn: true },
      { emoji: '👍', userIds: [2], isOwn: false },
    ])
    expect(pillsOf(undefined, 1)).toEqual([])
  })

  test('have what the user wants', () => {
    const reactions = { '🎉': [3, 1], '👍': [2], '❤': [1] }
    expect(pillsOf(reactions, 1, wishes(['🎉', false], ['👍', true], ['❤', false], ['😂', true]))).toEqual([
      { emoji: '🎉', userIds: [3], isOwn: false },
      { emoji: '👍', userIds: [2, 1], isOwn: true },
      { emoji: '😂', userIds: [1], isOwn: true },
    ])
  })

  test('do not change with a wish that is fulfilled already', () => {
    expect(pillsOf({ '👍': [1, 2] }, 1, wishes(['👍', true], ['❤', false]))).toEqual([
      { emoji: '👍', userIds: [1, 2], isOwn: true },
    ])
  })
})

describe('a click', () => {
  let app, reactions, message, timeline, notices

  beforeEach(async () => {
    app = await openApp()
    await app.connect()
    message = { id: 5, chat_id: 1, seq: 5, changed_seq: 5, reactions: { '👍': [2] } }
    timeline = { put: vi.fn((/** @type {any} */ newer) => (message = newer)) }
    const { useReactions } = await import('@/composables/useReactions')
    const { useNotices } = await import('@/composables/useNotices')
    notices = useNotices().notices
    reactions = useReactions(timeline)
    FakeSocket.last.sent.length = 0
  })

  afterEach(() => {
    app.websocket.disconnect()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  const sent = () => FakeSocket.last.sent.map(({ type, message_id, emoji }) => [type, message_id, emoji])
  const shown = () => reactions.of(message).map(({ emoji, userIds }) => [emoji, userIds])
  const answer = (part, index = 0) => app.deliver({ id: FakeSocket.last.sent[index].id, ...part })
  const ack = (of, index) => answer({ type: 'ack', ok: true, message: { ...message, reactions: of } }, index)

  test('shows at once, and is acked', async () => {
    reactions.toggle(message, '❤\ufe0f')
    expect(sent()).toEqual([['add_reaction', 5, '❤']])
    expect(shown()).toEqual([
      ['👍', [2]],
      ['❤', [1]],
    ])
    await ack({ '👍': [2], '❤': [1] })
    expect(shown()).toEqual([
      ['👍', [2]],
      ['❤', [1]],
    ])
    reactions.toggle(message, '❤')
    expect(sent()[1]).toEqual(['remove_reaction', 5, '❤'])
    expect(shown()).toEqual([['👍', [2]]])
  })

  test('that is refused is taken back, and says why', async () => {
    reactions.toggle(message, '👍')
    expect(shown()).toEqual([['👍', [2, 1]]])
    await answer({ type: 'error', code: 'conflict', message: 'too many' })
    expect(shown()).toEqual([['👍', [2]]])
    expect(notices.value.at(-1).text).toMatch(/as many reactions as it can have/)
  })

  test('without an answer shows what the server had last', async () => {
    reactions.toggle(message, '👍')
    FakeSocket.last.end()
    await settled()
    expect(shown()).toEqual([['👍', [2]]])
    expect(notices.value.at(-1).text).toMatch(/cannot be reached/)
    // What became of it comes with the replay.
    message = { ...message, changed_seq: 6, reactions: { '👍': [2, 1] } }
    expect(shown()).toEqual([['👍', [2, 1]]])
  })

  test('and another before the ack are sent one after the other, the last one wins', async () => {
    reactions.toggle(message, '👍')
    reactions.toggle(message, '👍')
    reactions.toggle(message, '👍')
    reactions.toggle(message, '👍')
    expect(sent()).toEqual([['add_reaction', 5, '👍']])
    expect(shown()).toEqual([['👍', [2]]])
    await ack({ '👍': [2, 1] })
    expect(sent()[1]).toEqual(['remove_reaction', 5, '👍'])
    expect(shown()).toEqual([['👍', [2]]])
    await ack({ '👍': [2] }, 1)
    expect(sent()).toHaveLength(2)
    expect(shown()).toEqual([['👍', [2]]])
  })

  test('that adds a reaction puts it first among the recent ones', async () => {
    const { useRecentReactions } = await import('@/stores/recentReactions')
    const recent = useRecentReactions()
    expect(recent.emoji.slice(0, 3)).toEqual(['👍', '❤', '😂'])
    reactions.toggle(message, '🚀')
    await ack({ '👍': [2], '🚀': [1] })
    reactions.toggle(message, '🚀')
    expect(recent.emoji.slice(0, 3)).toEqual(['🚀', '👍', '❤'])
    expect(JSON.parse(localStorage.getItem('vestnik.reactions'))).toEqual(recent.emoji)
  })
})
