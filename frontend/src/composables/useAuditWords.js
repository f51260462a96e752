import { useI18n } from 'vue-i18n'
import '@/i18n/later'
import { useUsers } from '@/stores/users'

/** Sentences for the entries of an audit. */
export function useAuditWords() {
  const { t, te } = useI18n()
  const users = useUsers()

  /** @param {number | null | undefined} userId */
  const nameOf = (userId) => (userId ? users.nameOf(userId) || '…' : '')

  /** Who did what. @param {import('@/types').AuditEntry} entry */
  return function sentenceOf({ actor_id, action, user_id, detail }) {
    const actor = actor_id ? nameOf(actor_id) : t('audit.console')
    const key = `audit.actions.${action}`
    if (!te(key, 'en')) return t('audit.unknown', { actor, action })
    return t(key, { actor, user: nameOf(user_id), detail: detail ?? '' })
  }
}
