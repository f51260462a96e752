import { i18n } from '@/i18n'
import { oneLine } from '@/text/bidi'

/** @typedef {import('@/types').Chat} Chat */

/**
 * What chats are called: by their names, and private chats by the other member.
 *
 * @param {object} options
 * @param {import('vue').Ref<Chat[]>} options.list
 * @param {ReturnType<typeof import('./chatMembers').createMembers>} options.members
 * @param {ReturnType<typeof import('./users').useUsers>} options.users
 * @param {ReturnType<typeof import('./session').useSession>} options.session
 */
export function createChatNames({ list, members, users, session }) {
  /** The id of the other member of a private chat; undefined until it is loaded, which this starts. @param {Chat} chat */
  function peerOf(chat) {
    const others = [chat.created_by, chat.last_message?.sender_id].filter((id) => id && id !== session.userId)
    if (others.length) return others[0]
    return members.members(chat.id)?.find(({ user }) => user.id !== session.userId)?.user.id
  }

  /** The title of a chat; empty until it is known. @param {Chat | undefined} chat */
  function titleOf(chat) {
    if (!chat) return ''
    if (chat.chat_type !== 'private') return oneLine(chat.name ?? '') || i18n.global.t('chats.unnamed')
    const peer = peerOf(chat)
    return peer ? users.nameOf(peer) : ''
  }

  /** Whether it is a private chat with a bot. @param {Chat} chat */
  function isWithBot(chat) {
    const peer = chat.chat_type === 'private' ? peerOf(chat) : null
    return Boolean(peer && users.get(peer)?.is_bot)
  }

  /** The users with whom the list has no private chat. @param {import('@/types').User[]} found */
  function withoutPrivate(found) {
    const peers = new Set(list.value.filter(({ chat_type }) => chat_type === 'private').map(peerOf))
    return found.filter(({ id }) => id !== session.userId && !peers.has(id))
  }

  return { peerOf, titleOf, isWithBot, withoutPrivate }
}
