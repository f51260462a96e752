import { ref } from 'vue'
import { textOf } from '@/i18n/errors'
import { ApiError } from '@/services/http'

/**
 * Loads something now, and again when `load` is called.
 *
 * @param {() => Promise<unknown>} request
 */
export function useLoad(request) {
  /** Why it could not be loaded, in words; empty while it is loading and when it is there. */
  const failure = ref('')

  async function load() {
    failure.value = ''
    try {
      await request()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure.value = textOf(error)
    }
  }
  load()

  return { failure, load }
}
