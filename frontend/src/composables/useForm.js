import { reactive, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiError } from '@/services/http'

/**
 * A form that is sent once at a time and shows what the server says of it: `errors` at their fields, `failure` of the
 * whole.
 *
 * @param {() => Promise<void>} send
 * @param {{ fields: string[], words?: Record<string, string> }} options `fields`: the names of the fields shown;
 *   `words`: the texts for codes that mean something special here, as keys of messages
 */
export function useForm(send, { fields, words = {} }) {
  const { t, te } = useI18n()
  /** @type {Record<string, string>} */
  const errors = reactive({})
  const failure = ref('')
  const isBusy = ref(false)

  async function submit() {
    if (isBusy.value) return
    isBusy.value = true
    failure.value = ''
    for (const name of Object.keys(errors)) delete errors[name]
    try {
      await send()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      show(error)
    } finally {
      isBusy.value = false
    }
  }

  /** @param {ApiError} error */
  function show(error) {
    for (const [name, message] of Object.entries(error.fields)) {
      if (!fields.includes(name)) continue
      const key = error.code === 'conflict' ? `errors.taken.${name}` : `errors.fields.${name}`
      errors[name] = te(key, 'en') ? t(key) : message
    }
    if (!Object.keys(errors).length) failure.value = textOf(error, words, t, te)
  }

  return { errors, failure, isBusy, submit }
}

/**
 * @param {ApiError} error
 * @param {Record<string, string>} words
 * @param {any} t
 * @param {any} te
 */
function textOf(error, words, t, te) {
  const key = words[error.code] ?? `errors.${error.code}`
  if (!te(key, 'en')) return t('errors.unknown', { code: error.code })
  return t(key, Math.ceil((error.retryAfterMs ?? 0) / 1000))
}
