import { useConfirmDialog } from '@vueuse/core'
import { shallowRef } from 'vue'

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} [text]
 * @property {string} action the label of the button that confirms
 * @property {boolean} [isHarmless] the button is not red
 * @property {{ label: string, options: { value: number | string, label: string }[], value: number | string }} [choice]
 *   something to choose, and what is chosen at first
 * @property {{ label: string, hint?: string, maxlength: number }} [field] a text to write, which may stay empty
 *
 * @typedef {{ choice: any, text: string }} Answer what was chosen and written
 */

const { isRevealed, reveal, confirm: accept, cancel } = useConfirmDialog()
const question = shallowRef(/** @type {Question | null} */ (null))

/**
 * Asks before something that cannot be undone. `AppDialogs.vue` shows the question.
 *
 *     if (await confirm({ title: 'Delete the message?', action: 'Delete' })) …
 */
export function useConfirm() {
  /** A question that is still open is cancelled. @param {Question} asked */
  async function confirm(asked) {
    cancel()
    question.value = asked
    const { isCanceled } = await reveal()
    return !isCanceled
  }

  /**
   * Asks a question with a choice or a text field.
   *
   * @param {Question} asked
   * @returns {Promise<Answer | null>} null: it was cancelled
   */
  async function ask(asked) {
    cancel()
    question.value = asked
    const { data, isCanceled } = await reveal()
    return isCanceled ? null : data
  }
  return { question, isOpen: isRevealed, confirm, ask, accept, cancel }
}
