import { reactive, ref } from 'vue'
import { fieldTextOf, textOf } from '@/i18n/errors'
import { ApiError } from '@/services/http'

/**
 * A form that is sent once at a time and shows what the server says of it: `errors` at their fields, `failure` of the
 * whole.
 *
 * @param {() => Promise<unknown>} send
 * @param {{ fields?: string[], words?: Record<string, string> }} options `fields`: the names of the fields shown;
 *   `words`: the texts for codes that mean something special here, as keys of messages
 */
export function useForm(send, { fields = [], words = {} } = {}) {
  /** @type {Record<string, string>} */
  const errors = reactive({})
  const failure = ref('')
  const isBusy = ref(false)

  async function submit() {
    if (isBusy.value) return
    isBusy.value = true
    clear()
    try {
      await send()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      show(error)
    } finally {
      isBusy.value = false
    }
  }

  function clear() {
    failure.value = ''
    for (const name of Object.keys(errors)) delete errors[name]
  }

  /** @param {ApiError} error */
  function show(error) {
    for (const [name, message] of Object.entries(error.fields)) {
      if (fields.includes(name)) errors[name] = fieldTextOf(error, name, message)
    }
    if (!Object.keys(errors).length) failure.value = textOf(error, words)
  }

  return { errors, failure, isBusy, submit }
}
