import { beforeEach, describe, expect, test } from 'vitest'
import { forgetTexts, isVisible, prefixOf } from '@/services/texts'

describe('visible characters', () => {
  test.each([['a'], ['  x'], ['\n\n1'], ['👍'], ['é'], ['ﷺ'], ['한'], ['.']])('%j', (text) =>
    expect(isVisible(text)).toBe(true),
  )
  test.each([
    [''],
    [' \n\t'],
    ['\u00a0\u3000'],
    ['\u200b\u200d\u2060'],
    ['\u202e\u2066'],
    ['\u0301\u0301'],
    ['\u115f\u1160\u2800\u3164\uffa0'],
    ['\ue000'],
    ['\ud800'],
    ['\u0000\u001f'],
  ])('not: %j', (text) => expect(isVisible(text)).toBe(false))
})

describe('texts', () => {
  beforeEach(() => {
    localStorage.clear()
    for (const key of [`${prefixOf('draft', 1)}7`, `${prefixOf('outbox', 1)}ab`, `${prefixOf('draft', 11)}7`])
      localStorage.setItem(key, '{}')
    localStorage.setItem('vestnik.preferences', '{}')
    localStorage.setItem('elsewhere:draft:1:7', '{}')
  })

  test('of one user are removed, and nothing else', () => {
    forgetTexts((ownerId) => ownerId === 1)
    expect(Object.keys(localStorage).sort()).toEqual([
      'elsewhere:draft:1:7',
      'vestnik.preferences',
      'vestnik:draft:11:7',
    ])
  })
})
