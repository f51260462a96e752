import { computed, reactive } from 'vue'
import { freshness } from '@/services/freshness'
import { mentionsUser } from '@/text/mentions'

/** The server's highest count: it means "or more". */
const UNREAD_MAX = 1000

/**
 * The fields of a chat that are kept fresh on their own, by name in `freshness`. All other fields are one group, `about`.
 */
const GROUPS = {
  latest: ['last_message', 'seq'],
  unread: ['unread_count', 'unread_mentions'],
  mark: ['last_read_message_id', 'read_seq'],
  count: ['member_count'],
  own: ['role'],
  settings: ['notifications', 'favorite', 'hidden', 'marked_unread'],
  mute: ['muted_until'],
}

/** @param {string} field */
const groupOf = (field) => Object.entries(GROUPS).find(([, fields]) => fields.includes(field))?.[0] ?? 'about'

/** The highest `seq` that is known of a chat. @param {Pick<Chat, 'seq' | 'last_message'>} chat */
const reachOf = ({ seq, last_message }) => Math.max(seq ?? 0, last_message?.seq ?? 0)

/** When something last happened in a chat, in ms since 1970. @param {Chat} chat */
const activityOf = (chat) => Date.parse(chat.last_message?.created_at ?? chat.created_at)

/**
 * @typedef {import('@/types').Chat} Chat
 * @typedef {import('@/types').Message} Message
 * @typedef {Partial<Pick<Chat, 'last_read_message_id' | 'read_seq'>>} Mark
 * @typedef {{ seq: number, isMention: boolean }} Arrival
 */

/** How many of the unread messages of a chat notify the user. @param {Chat} chat */
export function notifyingCount({ notifications = 'all', unread_count, unread_mentions = 0 }) {
  if (notifications === 'none') return 0
  return notifications === 'mentions' ? unread_mentions : unread_count
}

/**
 * The chats that are known, kept up to date by answers and events in any order.
 *
 * @param {object} options
 * @param {() => number | null} options.ownId
 * @param {(chat: Chat, before: string | null) => void} [options.onMute] called when a known chat's mute of the user has
 *   changed, with the earlier `muted_until`
 */
export function createChatRecords({ ownId, onMute = () => {} }) {
  /** @type {Map<number, Chat>} */
  const chats = reactive(new Map())
  /** Latest activity first. */
  const all = computed(() => [...chats.values()].sort((a, b) => activityOf(b) - activityOf(a) || b.id - a.id))
  /** The chats that are not hidden, favourites first. */
  const list = computed(() => {
    const shown = all.value.filter((chat) => !chat.hidden)
    return [...shown.filter((chat) => chat.favorite), ...shown.filter((chat) => !chat.favorite)]
  })
  const hidden = computed(() => all.value.filter((chat) => chat.hidden))
  /** The unread messages of all chats that notify the user; a chat that is only marked counts as one. */
  const unreadTotal = computed(() =>
    list.value
      .filter((chat) => chat.notifications !== 'none')
      .reduce((sum, chat) => sum + (notifyingCount(chat) || Number(chat.marked_unread ?? false)), 0),
  )
  /**
   * The messages by others that came as events, by chat: the answer to an earlier request has not counted them.
   *
   * @type {Map<number, Arrival[]>}
   */
  const arrivals = new Map()

  /**
   * Applies an answer about a chat, as far as nothing newer is known. Returns the chat as it is known then, undefined if
   * it was removed after the request.
   *
   * @param {Chat} answer
   * @param {number} requestedAt
   */
  function apply(answer, requestedAt) {
    const { id } = answer
    const known = chats.get(id)
    if (!freshness.isNewer(`chat ${id} there`, requestedAt)) return known
    const fields = Object.keys(answer).filter((field) => !known || isNewer(field, answer, known, requestedAt))
    for (const group of new Set(Object.keys(answer).map(groupOf)))
      freshness.accept(`chat ${id} ${group}`, requestedAt)
    const newer = pick(answer, fields)
    if ('unread_count' in newer) Object.assign(newer, countsOf(answer))
    if (known) assign(known, newer)
    else chats.set(id, /** @type {Chat} */ (newer))
    return chats.get(id)
  }

  /** @param {string} field @param {Chat} answer @param {Chat} known @param {number} requestedAt */
  function isNewer(field, answer, known, requestedAt) {
    const group = groupOf(field)
    if (group === 'latest' && answer.seq < known.seq) return false
    // A mark never goes back, so the higher one is the later one.
    if (group === 'mark' && (answer.read_seq ?? 0) > (known.read_seq ?? Infinity)) return true
    // Messages are counted from the latest one on, so the latest one must not move without the count.
    if (group === 'latest' && answer.seq > known.seq)
      return freshness.isNewer(`chat ${answer.id} unread`, requestedAt)
    return freshness.isNewer(`chat ${answer.id} ${group}`, requestedAt)
  }

  /** The numbers of unread messages: what the answer has, and what arrived after it. @param {Chat} answer */
  function countsOf(answer) {
    const reach = Math.max(reachOf(answer), answer.read_seq ?? 0)
    const later = (arrivals.get(answer.id) ?? []).filter(({ seq }) => seq > reach)
    arrivals.set(answer.id, later)
    const mentions = later.filter(({ isMention }) => isMention).length
    return {
      unread_count: Math.min(answer.unread_count + later.length, UNREAD_MAX),
      unread_mentions: Math.min((answer.unread_mentions ?? 0) + mentions, UNREAD_MAX),
    }
  }

  /** @param {number} chatId */
  function forget(chatId) {
    freshness.changed(`chat ${chatId} there`)
    chats.delete(chatId)
    arrivals.delete(chatId)
  }

  function clear() {
    chats.clear()
    arrivals.clear()
  }

  /**
   * Sets the newest message of a chat, as its timeline has it.
   *
   * @param {number} chatId
   * @param {Message | null} message null: there is none
   * @param {number} seq the last change that the timeline has applied
   */
  function noteLatest(chatId, message, seq = message?.changed_seq ?? 0) {
    const chat = chats.get(chatId)
    if (!chat) return
    freshness.changed(`chat ${chatId} latest`)
    chat.last_message = message
    chat.seq = Math.max(chat.seq, seq)
  }

  /**
   * Sets the numbers of unread messages.
   *
   * @param {number} chatId
   * @param {{ unread_count: number, unread_mentions?: number }} counts without the mentions, those that are known stay
   * @param {Mark} [mark] where the read mark is now
   */
  function noteRead(chatId, { unread_count, unread_mentions }, mark = {}) {
    const chat = chats.get(chatId)
    if (!chat) return
    freshness.changed(`chat ${chatId} unread`)
    if ('last_read_message_id' in mark) freshness.changed(`chat ${chatId} mark`)
    const mentions = Math.min(unread_mentions ?? chat.unread_mentions ?? 0, unread_count)
    Object.assign(chat, mark, { unread_count, unread_mentions: mentions })
  }

  /** Counts a new message of a joined chat, if it is by somebody else. @param {Chat} chat @param {Message} message */
  function noteArrival(chat, message) {
    if (message.seq <= reachOf(chat) || message.sender_id === ownId()) return
    const isMention = mentionsUser(message, ownId())
    const before = (arrivals.get(chat.id) ?? []).slice(-UNREAD_MAX)
    arrivals.set(chat.id, [...before, { seq: message.seq, isMention }])
    chat.unread_count = Math.min(chat.unread_count + 1, UNREAD_MAX)
    chat.unread_mentions = Math.min((chat.unread_mentions ?? 0) + Number(isMention), UNREAD_MAX)
  }

  /** Applies a new or changed message of a joined chat. @param {Chat} chat @param {Message} message */
  function noteChange(chat, message) {
    const last = chat.last_message
    const isNewer = last && last.id === message.id && last.changed_seq <= message.changed_seq
    if (isNewer || message.seq > (last?.seq ?? 0)) chat.last_message = message
    chat.seq = Math.max(chat.seq, message.changed_seq)
  }

  /** Moves the user's own read mark. False if the number of unread messages is unknown then. @param {Chat} chat @param {Mark} mark */
  function noteMark(chat, mark) {
    const { last_read_message_id, read_seq } = mark
    if (chat.last_message?.id === last_read_message_id || (read_seq ?? -1) >= reachOf(chat)) {
      noteRead(chat.id, { unread_count: 0 }, mark)
      return true
    }
    freshness.changed(`chat ${chat.id} mark`)
    Object.assign(chat, mark)
    return false
  }

  /** Applies the state of a chat that is not joined. @param {Chat} chat @param {import('@/types').EventFrame<'chat_updated'>} frame */
  function noteUpdate(chat, frame) {
    if (frame.head_seq < chat.seq) return // a later event follows
    const groups = /** @type {const} */ (['latest', 'unread', 'mark'])
    for (const group of groups) freshness.changed(`chat ${chat.id} ${group}`)
    arrivals.delete(chat.id)
    const fields = groups.flatMap((group) => GROUPS[group]).filter((field) => field in frame)
    Object.assign(chat, pick(/** @type {any} */ (frame), fields), { seq: frame.head_seq })
  }

  /** Applies the fields that are the same for all members of a chat. @param {Chat} chat @param {import('@/types').SharedChat} shared */
  function noteShared(chat, shared) {
    for (const group of ['about', 'count']) freshness.changed(`chat ${chat.id} ${group}`)
    Object.assign(chat, shared, { seq: chat.seq })
  }

  /** Applies the user's own row of an answer with the members. @param {Chat} chat @param {import('@/types').Member} own @param {number} requestedAt */
  function noteOwn(chat, own, requestedAt) {
    const { role, muted_until = null } = own
    if (freshness.accept(`chat ${chat.id} own`, requestedAt)) assign(chat, { role })
    if (freshness.accept(`chat ${chat.id} mute`, requestedAt)) assign(chat, { muted_until })
  }

  /** Applies the user's own settings of a chat. @param {Chat} chat @param {import('@/types').EventFrame<'chat_settings'>} frame */
  function noteSettings(chat, frame) {
    const fields = [...GROUPS.settings, ...GROUPS.mute].filter((field) => field in frame)
    for (const group of new Set(fields.map(groupOf))) freshness.changed(`chat ${chat.id} ${group}`)
    assign(chat, pick(/** @type {any} */ (frame), fields))
  }

  /** @param {Chat} chat @param {Partial<Chat>} changes */
  function assign(chat, changes) {
    const before = chat.muted_until ?? null
    Object.assign(chat, changes)
    if ((chat.muted_until ?? null) !== before) onMute(chat, before)
  }

  return {
    chats,
    list,
    hidden,
    unreadTotal,
    apply,
    forget,
    clear,
    noteLatest,
    noteRead,
    noteArrival,
    noteChange,
    noteMark,
    noteUpdate,
    noteShared,
    noteOwn,
    noteSettings,
  }
}

/** @param {Chat} object @param {string[]} fields @returns {Partial<Chat>} */
function pick(object, fields) {
  return Object.fromEntries(fields.map((field) => [field, object[/** @type {keyof Chat} */ (field)]]))
}
