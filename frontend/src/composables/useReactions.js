import { shallowReactive } from 'vue'
import { textOf } from '@/i18n/errors'
import websocket from '@/services/websocket'
import { useRecentReactions } from '@/stores/recentReactions'
import { useSession } from '@/stores/session'
import { pillsOf, storedEmoji } from '@/text/reactions'
import { useNotices } from './useNotices'

/**
 * @typedef {import('@/types').Message} Message
 * @typedef {import('@/types').Failure} Failure
 */

const FAILURES = {
  conflict: 'reactions.tooMany',
  disconnected: 'errors.network',
  timeout: 'errors.network',
}

/**
 * The reactions to the messages of a chat. What the user wants shows at once; if the server refuses it, or does not answer,
 * the reactions are again as the server had them last, and a notice says why.
 *
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useReactions(timeline) {
  const session = useSession()
  const recent = useRecentReactions()
  const { notify } = useNotices()
  /**
   * By message id and emoji, whether the user wants to react with it: until the server has acked that.
   *
   * @type {Map<number, Map<string, boolean>>}
   */
  const wishes = shallowReactive(new Map())

  /** @param {Message} message */
  function of(message) {
    return pillsOf(message.reactions, session.userId ?? 0, wishes.get(message.id))
  }

  /** Reacts to a message or, if the user does so already, takes the reaction away. @param {Message} message @param {string} emoji */
  function toggle(message, emoji) {
    const stored = storedEmoji(emoji)
    const isOn = of(message).some((pill) => pill.emoji === stored && pill.isOwn)
    if (!isOn) recent.use(stored)
    const isUnderWay = wishes.get(message.id)?.has(stored)
    wish(message.id, stored, !isOn)
    if (!isUnderWay) request(message.id, stored)
  }

  /** @param {number} messageId @param {string} emoji @param {boolean} [wanted] undefined: there is no wish any more */
  function wish(messageId, emoji, wanted) {
    const own = new Map(wishes.get(messageId))
    if (wanted === undefined) own.delete(emoji)
    else own.set(emoji, wanted)
    if (own.size) wishes.set(messageId, own)
    else wishes.delete(messageId)
  }

  /** Requests what is wanted, and again if that changes meanwhile. @param {number} messageId @param {string} emoji */
  async function request(messageId, emoji) {
    const wanted = () => wishes.get(messageId)?.get(emoji)
    let acked
    try {
      while (acked !== wanted()) {
        const next = wanted()
        const type = next ? 'add_reaction' : 'remove_reaction'
        const ack = await websocket.request({ type, message_id: messageId, emoji })
        timeline.put(ack.message)
        acked = next
      }
    } catch (error) {
      notify(textOf(/** @type {Failure} */ (error), FAILURES))
    } finally {
      wish(messageId, emoji)
    }
  }

  return { of, toggle }
}
