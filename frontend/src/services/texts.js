/**
 * The texts that a browser keeps for its users before the server has them: drafts, edits, messages that are not sent.
 * They outlive the page and a session that is merely too old; a logout takes them away, and so does another user.
 */
import { storage } from './storage'

/**
 * Neither blank, nor a control or format character, nor a mark without a letter. Characters that this browser does not
 * know yet count as visible: the server may know them.
 */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{M}\u115F\u1160\u2800\u3164\uFFA0]/u

/** Whether there is something to see in a text: else the server refuses it. @param {string} text */
export const isVisible = (text) => VISIBLE.test(text)

/** The keys of texts: what they are, whose they are, and more. */
const KEY = /^vestnik:(draft|outbox):(\d+):/

/** @param {'draft' | 'outbox'} kind @param {number} ownerId */
export const prefixOf = (kind, ownerId) => `vestnik:${kind}:${ownerId}:`

/** Takes the texts of some users away. @param {(ownerId: number) => boolean} isMeant */
export function forgetTexts(isMeant) {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '')
  for (const key of keys) {
    const owner = KEY.exec(key)?.[2]
    if (owner && isMeant(Number(owner))) storage.removeItem(key)
  }
}
