import { useI18n } from 'vue-i18n'
import '@/i18n/later'
import { durationOf } from '@/i18n/dates'
import { personName } from '@/text/bidi'
import { useChats } from '@/stores/chats'
import { useAction } from './useAction'
import { useConfirm } from './useConfirm'

const HOUR_S = 3600
const DAY_S = 24 * HOUR_S
const MUTES_S = [15 * 60, HOUR_S, 8 * HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S]
/** A mute without an end: the wire has a time for each. */
const FOR_GOOD_S = 100 * 365 * DAY_S
export const REASON_MAX = 500

/**
 * What admins and owners of a chat do to its members.
 *
 * @param {() => import('@/types').Chat} chatOf
 * @param {() => import('@/types').Member} memberOf
 */
export function useMemberActions(chatOf, memberOf) {
  const { t } = useI18n()
  const chats = useChats()
  const { confirm, ask } = useConfirm()
  const { run } = useAction({ conflict: 'moderation.lastOwner' })

  const nameOf = () => personName(memberOf().user)
  /** @param {Partial<import('@/types').Member>} changes */
  const change = (changes) => run(() => chats.changeMember(chatOf().id, memberOf().user.id, changes))

  /** @param {import('@/types').Role} role */
  const setRole = (role) => change({ role })

  async function mute() {
    const options = MUTES_S.map((value) => ({ value, label: durationOf(value) }))
    const answer = await ask({
      title: t('moderation.muteTitle', { name: nameOf() }),
      text: t('moderation.muteText'),
      action: t('moderation.muteAction'),
      choice: {
        label: t('moderation.muteFor'),
        options: [...options, { value: FOR_GOOD_S, label: t('moderation.forGood') }],
        value: HOUR_S,
      },
    })
    if (answer) change({ muted_until: new Date(Date.now() + answer.choice * 1000).toISOString() })
  }

  const unmute = () => change({ muted_until: null })

  async function remove() {
    const { id } = memberOf().user
    const title = t('chatInfo.removeTitle', { name: nameOf() })
    if (await confirm({ title, text: t('chatInfo.removeText'), action: t('common.remove') }))
      run(() => chats.removeMember(chatOf().id, id))
  }

  async function ban() {
    const { id } = memberOf().user
    const answer = await ask({
      title: t('moderation.banTitle', { name: nameOf(), chat: chats.titleOf(chatOf()) }),
      text: t('moderation.banText'),
      action: t('moderation.banAction'),
      field: { label: t('moderation.reason'), hint: t('moderation.reasonHint'), maxlength: REASON_MAX },
    })
    if (answer) run(() => chats.banMember(chatOf().id, id, answer.text || undefined))
  }

  return { setRole, mute, unmute, remove, ban }
}
