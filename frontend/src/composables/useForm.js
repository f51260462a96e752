import { nextTick, reactive, ref } from 'vue'
import { fieldTextOf, textOf } from '@/i18n/errors'
import { ApiError } from '@/services/http'

/**
 * A form that is sent once at a time and shows what the server says of it: `errors` at their fields, `failure` of the
 * whole.
 *
 * After a failure the focus is in the first field that is wrong, its text selected.
 *
 * @param {(given?: any) => Promise<unknown>} send gets what `submit` gets
 * @param {object} options
 * @param {string[]} [options.fields] the names of the fields shown
 * @param {Record<string, string>} [options.words] the texts for codes that mean something special here, as keys of
 *   messages
 * @param {() => Record<string, string>} [options.check] what can be told without the server to be wrong: a text for each
 *   such field; while there is one, nothing is sent
 * @param {string} [options.blamed] the name of the field that has the focus when it is the whole that is refused
 */
export function useForm(send, { fields = [], words = {}, check = () => ({}), blamed = '' } = {}) {
  /** @type {Record<string, string>} */
  const errors = reactive({})
  const failure = ref('')
  const isBusy = ref(false)

  /** @param {any} [given] the event of a form, or something for `send` */
  async function submit(given) {
    if (isBusy.value) return
    clear()
    Object.assign(errors, check())
    if (Object.keys(errors).length) return focusWrong(given?.target)
    isBusy.value = true
    try {
      await send(given)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      show(error)
      focusWrong(given?.target)
    } finally {
      isBusy.value = false
    }
  }

  /** @param {unknown} form */
  async function focusWrong(form) {
    if (!(form instanceof HTMLFormElement)) return
    await nextTick()
    const wrong = form.querySelector('[aria-invalid=true]') ?? form.elements.namedItem(blamed)
    if (!(wrong instanceof HTMLInputElement)) return
    wrong.focus()
    wrong.select()
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
