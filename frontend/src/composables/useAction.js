import { ref } from 'vue'
import { textOf } from '@/i18n/errors'
import { ApiError } from '@/services/http'
import { useNotices } from './useNotices'

/**
 * Runs what a button does, one run at a time, and shows a notice if it fails.
 *
 * @param {Record<string, string>} [words] translation keys for codes that mean something special here
 */
export function useAction(words = {}) {
  const { notify } = useNotices()
  const isBusy = ref(false)

  /** Resolves to whether it succeeded. @param {() => Promise<unknown>} act */
  async function run(act) {
    if (isBusy.value) return false
    isBusy.value = true
    try {
      await act()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      notify(textOf(error, words))
      return false
    } finally {
      isBusy.value = false
    }
  }

  return { isBusy, run }
}
