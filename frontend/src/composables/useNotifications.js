import { onScopeDispose, watchEffect } from 'vue'
import { useRoute } from 'vue-router'
import { mentionsUser } from '@/text/mentions'
import { playSound } from '@/services/sound'
import { useChats } from '@/stores/chats'
import { usePreferences } from '@/stores/preferences'
import { useSession } from '@/stores/session'
import { onEvent } from './onEvent'
import { useWebSocket } from './useWebSocket'

const NAME = 'Vestnik'
const SHOWN_MAX = 99
const QUIET_MS = 1_500

/**
 * Shows the number of unread messages, the open chat and a lost connection in the tab's title and icon, and plays a sound
 * for new messages if the user wants one.
 */
export function useNotifications() {
  const chats = useChats()
  const preferences = usePreferences()
  const session = useSession()
  const route = useRoute()
  const { state } = useWebSocket()

  /** Whether the connection has been lost for longer than a moment. */
  const isLost = () => {
    const { status, attempt, maxAttempts, isOffline } = state.value
    const isLastTry = attempt >= maxAttempts && ['connecting', 'waiting'].includes(status)
    return isOffline || status === 'failed' || isLastTry
  }
  const openId = () => Number(route.params.chatId)
  watchEffect(() => {
    show({ count: chats.unreadTotal, isLost: isLost(), name: chats.titleOf(chats.get(openId())) })
  })
  onScopeDispose(() => show({ count: 0 }))

  onEvent('new_message', ({ chat_id, message }) => {
    const isSeen = document.hasFocus() && openId() === chat_id
    if (!isSeen && isWanted(chat_id, message)) ring()
  })
  /** The unread mentions of chats that are not joined, as the last event had them. @type {Map<number, number>} */
  const mentionsOf = new Map()
  onEvent('chat_updated', ({ chat_id, last_message, unread_count, unread_mentions = 0, head_seq }) => {
    // One event may stand for several messages, of which the last one need not be the mention.
    const hasMention = unread_mentions > (mentionsOf.get(chat_id) ?? Infinity)
    mentionsOf.set(chat_id, unread_mentions)
    const isNew = unread_count > 0 && last_message?.seq === head_seq
    if (isNew && isWanted(chat_id, last_message, hasMention)) ring()
  })

  /**
   * Whether a message by somebody else notifies the user.
   *
   * @param {number} chatId
   * @param {import('@/types').Message} message
   * @param {boolean} [isMention] whether it, or another one before it, mentions the user
   */
  function isWanted(chatId, message, isMention = false) {
    const { notifications = 'all' } = chats.get(chatId) ?? {}
    if (message.sender_id === session.userId || notifications === 'none') return false
    return notifications === 'all' || isMention || mentionsUser(message, session.userId)
  }

  /** Plays the sound in one of the browser's tabs. */
  function ring() {
    if (!preferences.sound) return
    if (!navigator.locks) return playSound()
    navigator.locks.request('vestnik.sound', { ifAvailable: true }, (lock) => {
      if (!lock) return
      playSound()
      return new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    })
  }
}

/**
 * @param {object} state
 * @param {number} state.count
 * @param {boolean} [state.isLost] whether the count may be old
 * @param {string} [state.name] of the open chat
 */
function show({ count, isLost = false, name = '' }) {
  const text = count > SHOWN_MAX ? `${SHOWN_MAX}+` : String(count)
  document.title = (isLost ? '⚠ ' : '') + (count ? `(${text}) ` : '') + (name ? `${name} – ${NAME}` : NAME)
  // VueUse's `useFavicon` would change the icon for home screens as well.
  const icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel=icon]'))
  icon.href = `data:image/svg+xml,${encodeURIComponent(iconSvg(count ? text : ''))}`
}

/** The icon of the tab. @param {string} badge empty: no badge */
function iconSvg(badge) {
  const bubble = `<path fill="#17695c" d="M12 4h24a10 10 0 0 1 10 10v16a10 10 0 0 1-10 10H23l-10 7v-7h-1A10 10 0 0 1 2 30V14A10 10 0 0 1 12 4Z"/><path stroke="#fff" stroke-width="4.5" stroke-linecap="round" stroke-linejoin="round" fill="none" d="m14 15 10 14 10-14"/>`
  const size = badge.length > 2 ? 17 : 21
  const dot = `<circle cx="33" cy="33" r="15" fill="#c0311f"/><text x="33" y="40" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="${size}" fill="#fff">${badge}</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">${bubble}${badge && dot}</svg>`
}
