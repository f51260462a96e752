/**
 * The unsent texts of users in the browser's storage: drafts, edits, messages that are not sent. They outlive the page and
 * an expired session. A logout removes them, and so does the login of another user.
 */
import { storage } from './storage'

/**
 * A character that is not blank, a control or format character, or a mark without a letter. Characters that this browser
 * does not know count as visible, because the server may know them.
 */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{M}\u115F\u1160\u2800\u3164\uFFA0]/u

/** Whether a text has a visible character. The server refuses texts that have none. @param {string} text */
export const isVisible = (text) => VISIBLE.test(text)

/** A storage key: the kind of text, the id of its user, and a rest. */
const KEY = /^vestnik:(draft|outbox):(\d+):/

/** @param {'draft' | 'outbox'} kind @param {number} ownerId */
export const prefixOf = (kind, ownerId) => `vestnik:${kind}:${ownerId}:`

/** Removes the texts of some users. @param {(ownerId: number) => boolean} isWanted */
export function forgetTexts(isWanted) {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '')
  for (const key of keys) {
    const owner = KEY.exec(key)?.[2]
    if (owner && isWanted(Number(owner))) storage.removeItem(key)
  }
}

/** The texts one below the other, without those that are not visible. @param {string[]} texts */
export function joined(...texts) {
  return texts.filter(isVisible).join('\n')
}
