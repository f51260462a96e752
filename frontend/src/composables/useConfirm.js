import { useConfirmDialog } from '@vueuse/core'
import { shallowRef } from 'vue'

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} [text]
 * @property {string} action the label of the button that confirms
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
  return { question, isOpen: isRevealed, confirm, accept, cancel }
}
