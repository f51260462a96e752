import { ref } from 'vue'
import { textOf } from '@/i18n/errors'
import { ApiError } from '@/services/http'
import { useNotices } from './useNotices'

/** Something a button does: once at a time, with a notice if it fails. */
export function useAction() {
  const { notify } = useNotices()
  const isBusy = ref(false)

  /** Resolves to whether it was done. @param {() => Promise<unknown>} act */
  async function run(act) {
    if (isBusy.value) return false
    isBusy.value = true
    try {
      await act()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      notify(textOf(error))
      return false
    } finally {
      isBusy.value = false
    }
  }

  return { isBusy, run }
}
