import { nextTick, reactive, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import { fieldTextOf, textOf } from '@/i18n/errors'
import { ApiError } from '@/services/http'

/**
 * Sends a form, once at a time, and shows the server's errors: `errors` at their fields, `failure` for the form as a whole.
 *
 * After a failure the first wrong field has the focus, and its text is selected. The error of a field goes when the user
 * changes the field.
 *
 * @template [T=Event]
 * @param {(given: T) => Promise<unknown>} send gets what `submit` gets
 * @param {object} options
 * @param {string[]} [options.fields] the names of the fields shown
 * @param {Record<string, string>} [options.words] translation keys for codes that mean something special in this form, and
 *   as `fields.NAME` for fields that it does not show
 * @param {() => Record<string, string>} [options.check] returns a text for each field that the client knows to be wrong;
 *   nothing is sent then
 * @param {Record<string, any>} [options.values] the reactive values of the fields
 * @param {string} [options.blamed] the name of the field that gets the focus after a `failure`
 */
export function useForm(
  send,
  { fields = [], words = {}, check = () => ({}), values = {}, blamed = '' } = {},
) {
  /** @type {Record<string, string>} */
  const errors = reactive({})
  const failure = ref('')
  const isBusy = ref(false)

  for (const name of Object.keys(values))
    watch(
      () => values[name],
      () => delete errors[name],
    )

  /** @param {T} given the event of a form, or a value for `send` */
  async function submit(given) {
    if (isBusy.value) return
    const form = given instanceof Event ? given.target : null
    clear()
    Object.assign(errors, check())
    if (Object.keys(errors).length) return focusWrong(form)
    isBusy.value = true
    try {
      await send(given)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      show(error)
      focusWrong(form)
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
      else if (words[`fields.${name}`]) failure.value = i18n.global.t(words[`fields.${name}`])
    }
    if (!Object.keys(errors).length && !failure.value) failure.value = textOf(error, words)
  }

  return { errors, failure, isBusy, submit }
}
