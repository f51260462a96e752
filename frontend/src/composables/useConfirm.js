import { shallowRef } from 'vue'

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} [text]
 * @property {string} action the word on the button that says yes
 */

/** @type {import('vue').ShallowRef<(Question & { answer: (yes: boolean) => void }) | null>} */
const question = shallowRef(null)

/**
 * Asks before something that cannot be undone.
 *
 *     if (await confirm({ title: 'Delete the message?', action: 'Delete' })) …
 */
export function useConfirm() {
  /** @param {Question} asked @returns {Promise<boolean>} */
  function confirm(asked) {
    question.value?.answer(false)
    return new Promise((resolve) => {
      const answer = (/** @type {boolean} */ yes) => {
        question.value = null
        resolve(yes)
      }
      question.value = { ...asked, answer }
    })
  }
  return { question, confirm }
}
