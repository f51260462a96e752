import { reactive } from 'vue'
import { useI18n } from 'vue-i18n'
import { NAME_CHARS_MAX, charsOf, isUsername, passwordFault } from '@/services/accountRules'
import { useSession } from '@/stores/session'
import { useForm } from './useForm'

/**
 * The form of a new account. It finds all faults at once.
 *
 * @param {() => { invite?: string, setup_code?: string }} more what the link adds to the account
 * @param {Record<string, string>} words translation keys for the server's codes
 */
export function useNewAccount(more, words) {
  const { t } = useI18n()
  const session = useSession()
  const account = reactive({ username: '', display_name: '', password: '' })

  /**
   * A password that is only too short is sent, because the operator may allow it, unless another field is wrong.
   */
  function check() {
    const { username, display_name, password } = account
    const fault = passwordFault(password)?.kind
    /** @type {Record<string, string>} */
    const found = {}
    if (!isUsername(username)) found.username = t(username ? 'errors.fields.username' : 'errors.required')
    if (charsOf(display_name) > NAME_CHARS_MAX) found.display_name = t('errors.fields.display_name')
    if (!password) found.password = t('errors.required')
    else if (fault === 'long') found.password = t('errors.passwordLong')
    else if (fault === 'short' && Object.keys(found).length) found.password = t('errors.fields.password')
    return found
  }

  const send = () =>
    session.register({ ...account, ...more(), display_name: account.display_name.trim() || undefined })
  const form = useForm(send, { fields: Object.keys(account), values: account, words, check })
  return { account, form }
}
