import { describe, expect, it } from 'vitest'
import { isOneSided } from '@/timeline/writers'

/** @param {number[]} senders */
const of = (...senders) => ({
  messages: /** @type {any[]} */ (senders.map((sender_id) => ({ sender_id }))),
  loaded: true,
  hasBefore: false,
  hasAfter: false,
})

describe('whether a chat is one-sided', () => {
  it('is, while nobody or only one has written', () => {
    expect([of(), of(1), of(2, 2)].map(isOneSided)).toEqual([true, true, true])
  })

  it('is not, once both have written', () => {
    expect(isOneSided(of(1, 1, 2, 1))).toBe(false)
  })

  it('is not known before all of it is loaded', () => {
    const parts = [{ loaded: false }, { hasBefore: true }, { hasAfter: true }]
    expect([undefined, ...parts.map((part) => ({ ...of(1), ...part }))].map(isOneSided)).toEqual([
      false,
      false,
      false,
      false,
    ])
  })
})
