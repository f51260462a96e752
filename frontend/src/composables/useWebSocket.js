/**
 * The WebSocket for components. Subscriptions and joins end with the component that makes them.
 *
 * @typedef {import('../services/websocket').Frame} Frame
 * @typedef {import('../services/websocket').TokenFunction} TokenFunction
 */

import { computed, onScopeDispose, reactive, shallowRef, toValue, watch } from 'vue'
import websocket from '../services/websocket'

/** A typing indicator that is not repeated disappears after this time, which is a little longer than the server's. */
const TYPING_MS = 3_500
const TYPING_EVERY_MS = 1_000

const state = shallowRef(websocket.state)
websocket.onState((current) => (state.value = current))
const isConnected = computed(() => state.value.status === 'connected')

/**
 * The chats that components use, each with their ways to join it. A chat is joined once, in the way of the first component
 * that has a `join`, and left with the last component.
 *
 * @typedef {{ join?: (chatId: number) => void, joinSoftly?: (chatId: number) => void }} Viewer
 * @type {Map<number, Viewer[]>}
 */
const rooms = new Map()
websocket.on('connected', () => {
  for (const chatId of rooms.keys()) join(chatId)
})

/** @param {number} chatId */
function join(chatId) {
  const viewers = rooms.get(chatId) ?? []
  const way = viewers.find(({ join }) => join)?.join ?? viewers.find((one) => one.joinSoftly)?.joinSoftly
  if (way) way(chatId)
  else websocket.send({ type: 'join_chat', chat_id: chatId })
}

/** @param {number} chatId @param {Viewer} viewer */
function enter(chatId, viewer) {
  const viewers = rooms.get(chatId) ?? []
  const joinsAnew = !viewers.some((other) => other.join || !viewer.join)
  rooms.set(chatId, [...viewers, viewer])
  if (joinsAnew) join(chatId)
}

/** @param {number} chatId @param {Viewer} viewer */
function leave(chatId, viewer) {
  const others = (rooms.get(chatId) ?? []).filter((other) => other !== viewer)
  if (others.length) {
    rooms.set(chatId, others)
  } else {
    rooms.delete(chatId)
    websocket.send({ type: 'leave_chat', chat_id: chatId })
  }
}

/** The connection as refs and functions. Subscriptions by `on` end with the component. */
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
 * Joins a chat while a component shows it, again after each reconnect, and leaves it with the component.
 *
 * @param {import('vue').MaybeRefOrGetter<number | null | undefined>} chatId
 * @param {Viewer} options `join`: is called in place of sending `join_chat`, for a component that joins from a
 *   position: when the component begins, connected or not, and at each `connected`; `joinSoftly`: the same, if no other
 *   component has a `join`
 */
export function useChatWebSocket(chatId, { join, joinSoftly } = {}) {
  const { on } = useWebSocket()
  /** The ids of the other users who are typing. */
  const typingUsers = reactive(/** @type {Set<number>} */ (new Set()))
  /** @type {Map<number, ReturnType<typeof setTimeout>>} */
  const ends = new Map()
  let sentAt = -Infinity

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

  function clearTyping() {
    for (const userId of [...ends.keys()]) stopped(userId)
    sentAt = -Infinity
  }

  /** @param {boolean} isTyping to be called at each key; `true` is sent once a second at most, `false` at once */
  function sendTyping(isTyping = true) {
    const id = toValue(chatId)
    if (id == null) return
    const elapsed = Date.now() - sentAt
    if (isTyping ? elapsed < TYPING_EVERY_MS : elapsed === Infinity) return
    const sent = websocket.send({ type: 'typing', chat_id: id, is_typing: isTyping })
    sentAt = sent && isTyping ? Date.now() : -Infinity
  }

  /** Marks all messages of the chat as read. */
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

  watch(isConnected, clearTyping, { flush: 'sync' })
  watch(
    () => toValue(chatId),
    (id, _previous, onCleanup) => {
      if (id == null) return
      const viewer = { join, joinSoftly }
      enter(id, viewer)
      onCleanup(() => {
        clearTyping()
        leave(id, viewer)
      })
    },
    { immediate: true },
  )

  return { isConnected, typingUsers, sendTyping, markAsRead }
}
