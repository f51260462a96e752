import { computed, shallowReactive, watch } from 'vue'
import api from '@/services/api'
import { mentionsUser } from '@/text/mentions'
import { useChats } from '@/stores/chats'
import { useSession } from '@/stores/session'
import { indexOfSeq } from '@/timeline/messageWindow'
import { walk } from '@/timeline/walk'

/** @typedef {import('@/types').Message} Message */

/** A mention that is not loaded is searched in this many pages. */
const MAX_PAGES = 20

/**
 * Leads from mention to mention in an open chat: to those that were unread when it was opened, or came since, and that the
 * user has not seen. The read mark may be behind them already, because it moves with the end of the chat.
 *
 * @param {number} chatId
 * @param {object} options
 * @param {import('@/stores/timelines').Timeline} options.timeline
 * @param {ReturnType<typeof import('./useReading').useReading>} options.reading
 * @param {ReturnType<typeof import('./useScroller').useScroller>} options.scroller
 * @param {ReturnType<typeof import('./useLogNavigation').useLogNavigation>} options.navigation
 */
export function useMentionJump(chatId, { timeline, reading, scroller, navigation }) {
  const { state } = timeline
  const chats = useChats()
  const session = useSession()
  const { readSeq, isVisible } = reading
  /** The position of the read mark at the beginning; null: it is not known, so no message counts. */
  const from = readSeq.value
  /** The `seq` of the mentions that were visible. @type {Set<number>} */
  const seen = shallowReactive(new Set())

  /** @param {Message} message */
  const isMention = (message) => mentionsUser(message, session.userId)
  const loaded = computed(() =>
    from === null ? [] : state.messages.slice(indexOfSeq(state.messages, from + 1)).filter(isMention),
  )
  const unseen = computed(() => loaded.value.filter(({ seq }) => !seen.has(seq)))

  /** How many mentions the user has not seen. */
  const count = computed(() => {
    const mark = readSeq.value
    if (mark === null) return 0
    const passed = unseen.value.filter(({ seq }) => seq <= mark).length
    const unread = chats.get(chatId)?.unread_mentions ?? 0
    const seenUnread = loaded.value.filter(({ seq }) => seq > mark && seen.has(seq)).length
    return passed + Math.max(unread - seenUnread, 0)
  })

  watch(
    [scroller.top, scroller.bottom, unseen, isVisible],
    ([top, bottom, messages, visible]) => {
      if (!visible || top === null || bottom === null) return
      for (const { seq } of messages) if (top <= seq && seq <= bottom) seen.add(seq)
    },
    { immediate: true },
  )

  async function goToNext() {
    const next = unseen.value[0] ?? (await search())
    if (!next) return void chats.check(chatId) // the count is wrong
    seen.add(next.seq)
    await navigation.goToMessage(next.id)
  }

  /** Requests unread messages that are not loaded, until there is one that mentions the user. */
  async function search() {
    const mark = readSeq.value
    const [first, last] = [state.messages[0], state.messages.at(-1)]
    if (mark === null || !first || !last) return undefined
    /** @param {Message[]} messages */
    const among = (messages) => messages.find((one) => one.seq > mark && isMention(one) && !seen.has(one.seq))
    let found = /** @type {Message | undefined} */ (undefined)
    const back = { chatId, api, from: first.id, side: /** @type {const} */ ('before'), maxPages: MAX_PAGES }
    if (!timeline.reaches(mark))
      for await (const { messages } of walk(back)) {
        found = among(messages) ?? found
        if (messages[0].seq <= mark + 1) break
      }
    if (found || !state.hasAfter) return found
    for await (const { messages } of walk({ ...back, from: last.id, side: 'after' })) {
      found = among(messages)
      if (found) return found
    }
  }

  return { count, goToNext }
}
