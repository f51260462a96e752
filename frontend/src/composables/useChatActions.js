import { computed, toValue } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute, useRouter } from 'vue-router'
import { useBlocks } from '@/stores/blocks'
import { useChats } from '@/stores/chats'
import { useUsers } from '@/stores/users'
import { useAction } from './useAction'
import { useConfirm } from './useConfirm'
import { useNotices } from './useNotices'

/**
 * What a user does with a chat for themselves: favourite, unread mark, notifications, hiding, and in a private chat
 * blocking the other person.
 *
 * @param {import('vue').MaybeRefOrGetter<import('@/types').Chat | undefined>} about
 */
export function useChatActions(about) {
  const { t } = useI18n()
  const router = useRouter()
  const route = useRoute()
  const chats = useChats()
  const users = useUsers()
  const blocks = useBlocks()
  const { confirm } = useConfirm()
  const { notify } = useNotices()
  const { isBusy, run } = useAction({ conflict: 'chatMenu.tooManyBlocks' })

  const chat = computed(() => toValue(about))
  const id = () => chat.value?.id ?? 0
  const isUnread = computed(() => Boolean(chat.value?.unread_count || chat.value?.marked_unread))
  /** The other person of a private chat; null in other chats. */
  const peerId = computed(() =>
    chat.value?.chat_type === 'private' ? (chats.peerOf(chat.value) ?? null) : null,
  )
  const isBlocked = computed(() => blocks.isBlocked(peerId.value))

  const toggleFavorite = () => run(() => chats.configure(id(), { favorite: !chat.value?.favorite }))
  const toggleUnread = () =>
    run(() => (isUnread.value ? chats.markRead(id()) : chats.configure(id(), { marked_unread: true })))
  /** @param {any} notifications */
  const setNotifications = (notifications) => run(() => chats.configure(id(), { notifications }))

  async function hide() {
    const hiddenId = id()
    if (!(await run(() => chats.configure(hiddenId, { hidden: true })))) return
    if (Number(route.params.chatId) === hiddenId) router.replace({ name: 'home' })
    notify(t('chatMenu.isHidden'))
  }

  const show = () => run(() => chats.configure(id(), { hidden: false }))

  async function block() {
    const userId = peerId.value
    if (!userId) return
    const name = users.nameOf(userId)
    const question = { title: t('chatMenu.blockTitle', { name }), text: t('chatMenu.blockText', { name }) }
    if (!(await confirm({ ...question, action: t('chatMenu.block') }))) return
    if (await run(() => blocks.block(userId))) notify(t('chatMenu.isBlocked', { name }))
  }

  async function unblock() {
    const userId = peerId.value
    if (userId) await run(() => blocks.unblock(userId))
  }

  return {
    isBusy,
    isUnread,
    peerId,
    isBlocked,
    toggleFavorite,
    toggleUnread,
    setNotifications,
    hide,
    show,
    block,
    unblock,
  }
}
