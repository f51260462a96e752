/** The WebSocket in components: what is subscribed to, joined or shown ends with the component. */

import { computed, onScopeDispose, reactive, shallowRef, toValue, watch } from 'vue'
import websocket from '../services/websocket'

/** A sign of typing that is not repeated goes away by itself, a little later than the server would say so. */
const TYPING_MS = 3_500
const TYPING_EVERY_MS = 1_000

const state = shallowRef(websocket.state)
websocket.onState((current) => (state.value = current))
const isConnected = computed(() => state.value.status === 'connected')

/**
 * The rooms somebody looks at, with how each of those joins: a room is joined once, by the first who has a way of his
 * own if there is one, and left by the last.
 *
 * @typedef {{ join?: (chatId: number) => void, joinSoftly?: (chatId: number) => void }} Visitor
 * @type {Map<number, Visitor[]>}
 */
const rooms = new Map()
websocket.on('connected', () => {
  for (const chatId of rooms.keys()) join(chatId)
})

/** @param {number} chatId */
function join(chatId) {
  const visitors = rooms.get(chatId) ?? []
  const way = visitors.find(({ join }) => join)?.join ?? visitors.find((one) => one.joinSoftly)?.joinSoftly
  if (way) way(chatId)
  else websocket.send({ type: 'join_chat', chat_id: chatId })
}

/** @param {number} chatId @param {Visitor} visitor */
function enter(chatId, visitor) {
  const visitors = rooms.get(chatId) ?? []
  const joinsAnew = !visitors.some((other) => other.join || !visitor.join)
  rooms.set(chatId, [...visitors, visitor])
  if (joinsAnew) join(chatId)
}

/** @param {number} chatId @param {Visitor} visitor */
function leave(chatId, visitor) {
  const others = (rooms.get(chatId) ?? []).filter((other) => other !== visitor)
  if (others.length) {
    rooms.set(chatId, others)
  } else {
    rooms.delete(chatId)
    websocket.send({ type: 'leave_chat', chat_id: chatId })
  }
}

/** The connection as refs and verbs. `on` is that of the service, and ends with the component. */
export function useWebSocket() {
  /** @type {typeof websocket.on} */
  const on = (event, callback) => {
    const unsubscribe = websocket.on(event, callback)
    onScopeDispose(unsubscribe)
    return unsubscribe
  }
  const { send, request, connect, disconnect, retry } = websocket
  return { isConnected, state, on, send, request, connect, disconnect, retry }
}

/**
 * A chat while a component shows it: it is joined, again after each reconnect, and left in the end.
 *
 * @param {import('vue').MaybeRefOrGetter<number | null | undefined>} chatId
 * @param {Visitor} options `join`: takes the place of the plain `join_chat`, for whoever joins from a position; it is
 *   called on entering, connected or not, and at each `connected`; `joinSoftly`: the same where nobody else has a `join`
 */
export function useChatWebSocket(chatId, { join, joinSoftly } = {}) {
  const { on } = useWebSocket()
  /** Who is typing, by user id, without oneself. */
  const typingUsers = reactive(/** @type {Set<number>} */ (new Set()))
  /** @type {Map<number, ReturnType<typeof setTimeout>>} */
  const ends = new Map()
  let toldAt = -Infinity

  /** @param {number} userId */
  function stopped(userId) {
    clearTimeout(ends.get(userId))
    ends.delete(userId)
    typingUsers.delete(userId)
  }

  /** @param {number} userId */
  function typing(userId) {
    stopped(userId)
    typingUsers.add(userId)
    ends.set(
      userId,
      setTimeout(() => stopped(userId), TYPING_MS),
    )
  }

  function nobodyTypes() {
    for (const userId of [...ends.keys()]) stopped(userId)
    toldAt = -Infinity
  }

  /** @param {boolean} isTyping called for each key: it is told once a second, and its end at once */
  function sendTyping(isTyping = true) {
    const id = toValue(chatId)
    if (id == null) return
    const shown = Date.now() - toldAt
    if (isTyping ? shown < TYPING_EVERY_MS : shown === Infinity) return
    const sent = websocket.send({ type: 'typing', chat_id: id, is_typing: isTyping })
    toldAt = sent && isTyping ? Date.now() : -Infinity
  }

  /** All there is in the chat has been read. */
  function markAsRead() {
    const id = toValue(chatId)
    if (id != null) websocket.send({ type: 'read_messages', chat_id: id })
  }

  on('typing', (frame) => {
    if (frame.chat_id !== toValue(chatId) || frame.user_id === state.value.userId) return
    if (frame.is_typing) typing(frame.user_id)
    else stopped(frame.user_id)
  })
  on('new_message', (frame) => {
    if (frame.chat_id === toValue(chatId)) stopped(frame.message.sender_id)
  })
  on('user_offline', (frame) => stopped(frame.user_id))

  watch(isConnected, nobodyTypes, { flush: 'sync' })
  watch(
    () => toValue(chatId),
    (id, _previous, onCleanup) => {
      if (id == null) return
      const visitor = { join, joinSoftly }
      enter(id, visitor)
      onCleanup(() => {
        nobodyTypes()
        leave(id, visitor)
      })
    },
    { immediate: true },
  )

  return { isConnected, typingUsers, sendTyping, markAsRead }
}
