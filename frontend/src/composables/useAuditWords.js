import { useI18n } from 'vue-i18n'
import '@/i18n/later'
import { durationOf, momentOf } from '@/i18n/dates'
import { useUsers } from '@/stores/users'
import { isForGood } from './useMute'

/** @typedef {import('@/types').AuditEntry} AuditEntry */

/** An action that has another sentence, by what else the entry says. @type {Record<string, (entry: AuditEntry) => string>} */
const VARIANTS = {
  role_changed: ({ actor_id }) => (actor_id ? 'role_changed' : 'role_passed_on'),
  slow_mode_changed: ({ detail }) => (Number(detail) ? 'slow_mode_on' : 'slow_mode_off'),
  muted: ({ detail, at }) => (detail && !isForGood(detail, Date.parse(at)) ? 'muted' : 'muted_for_good'),
  banned: ({ detail }) => (detail ? 'banned_for' : 'banned'),
  admin_added: (entry) => (isOwnAct(entry) ? 'admin_became' : 'admin_added'),
  admin_removed: (entry) => (isOwnAct(entry) ? 'admin_resigned' : 'admin_removed'),
  user_renamed: (entry) => (isOwnAct(entry) ? 'user_renamed_self' : 'user_renamed'),
  user_deleted: (entry) => (isOwnAct(entry) ? 'user_deleted_self' : 'user_deleted'),
}

/** @param {AuditEntry} entry */
function isOwnAct({ actor_id, user_id }) {
  return actor_id != null && actor_id === user_id
}

/** What an entry says besides, for people. @param {AuditEntry} entry */
function detailOf({ action, detail }) {
  // The number of the chat is for those who read the audit with a program.
  return action === 'chat_deleted' ? (detail ?? '').replace(/ \(chat \d+\)$/, '') : (detail ?? '')
}

/**
 * Sentences for the entries of an audit.
 *
 * @param {'server' | 'chat'} of In a chat, an entry without an actor is a consequence that the server drew; on the server
 *   it is an act of the command line.
 */
export function useAuditWords(of) {
  const { t, te } = useI18n()
  const users = useUsers()

  /** @param {number | null | undefined} userId */
  const nameOf = (userId) => (userId ? users.nameOf(userId) || '…' : '')

  /** Who did what. @param {AuditEntry} entry */
  return function sentenceOf(entry) {
    const { actor_id, action, user_id, detail } = entry
    const actor = actor_id ? nameOf(actor_id) : t(of === 'server' ? 'audit.console' : 'audit.server')
    const key = `audit.actions.${VARIANTS[action]?.(entry) ?? action}`
    if (!te(key)) return t('audit.unknown', { actor, action })
    return t(key, {
      actor,
      user: nameOf(user_id),
      detail: detailOf(entry),
      role: te(`audit.roles.${detail}`) ? t(`audit.roles.${detail}`) : '',
      when: action === 'muted' && detail ? momentOf(detail) : '',
      duration: action === 'slow_mode_changed' ? durationOf(Number(detail)) : '',
    })
  }
}
