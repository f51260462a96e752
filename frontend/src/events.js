/**
 * The events that this client knows, each with one entry. A new event is an entry here and a type in `types.d.ts`; a test
 * compares the entries with docs/protocol.md and finds entries without a handler.
 *
 * `change`, of an event that changes a message: what the event does to the loaded messages of its chat. The timeline,
 * the list of chats and the quotes of replies follow every event that has a `change`.
 *
 * @typedef {import('./types').EventName} EventName
 * @typedef {Pick<ReturnType<typeof import('./timeline/messageWindow').createMessageWindow>, 'get' | 'put' | 'remove'>} Messages
 * @typedef {import('./types').Message} Message
 * @typedef {{ message_id: number, seq: number }} Part names a message of which a part is changed
 */

/** An older server sends edits without `message`. @param {Messages} messages @param {{ message?: import('./types').Message }} frame */
function put(messages, { message }) {
  if (message) messages.put(message)
}

/**
 * Changes a part of a message, unless the message is not loaded or its copy has the change already.
 *
 * @param {Messages} messages
 * @param {Part} frame
 * @param {(message: Message) => Partial<Message>} changed
 */
function alter(messages, { message_id, seq }, changed) {
  const message = messages.get(message_id)
  if (message && message.changed_seq < seq)
    messages.put({ ...message, ...changed(message), changed_seq: seq })
}

/**
 * Whether an event that changes a message says only what has changed, such as a reaction. A copy of the message that misses
 * an earlier change stays wrong with it.
 *
 * @param {import('./types').MessageFrame} frame
 */
export const isPart = (frame) => frame.type !== 'message_deleted' && !('message' in frame)

/** @typedef {Part & { user_id: number, emoji: string }} Reaction */

/** @param {Messages} messages @param {Reaction} frame */
function addReaction(messages, frame) {
  const { emoji, user_id } = frame
  alter(messages, frame, ({ reactions = {} }) => ({
    reactions: { ...reactions, [emoji]: [...(reactions[emoji] ?? []), user_id] },
  }))
}

/** @param {Messages} messages @param {Reaction} frame */
function removeReaction(messages, frame) {
  const { emoji, user_id } = frame
  alter(messages, frame, ({ reactions = {} }) => {
    const { [emoji]: users = [], ...others } = reactions
    const left = users.filter((id) => id !== user_id)
    return { reactions: left.length ? { ...reactions, [emoji]: left } : others }
  })
}

/**
 * @satisfies {{ [Name in EventName]: { change?: (messages: Messages, frame: import('./types').EventFrame<Name>) => void } }}
 */
export const EVENTS = {
  connected: {},
  pong: {}, // websocket.js takes any frame as a sign of life
  error: {},
  token_expiring: {},
  new_message: { change: put },
  message_updated: { change: put },
  message_deleted: {
    /** @param {Messages} messages @param {{ message_id: number }} frame */
    change: (messages, { message_id }) => messages.remove(message_id),
  },
  reaction_added: { change: addReaction },
  reaction_removed: { change: removeReaction },
  message_pinned: {
    /** @param {Messages} messages @param {Part} frame */
    change: (messages, frame) => alter(messages, frame, () => ({ pinned: true })),
  },
  message_unpinned: {
    /** @param {Messages} messages @param {Part} frame */
    change: (messages, frame) => alter(messages, frame, () => ({ pinned: false })),
  },
  messages_read: {},
  typing: {},
  message_stream: {},
  user_status: {},
  user_offline: {},
  user_changed: {},
  chat_added: {},
  chat_changed: {},
  chat_settings: {},
  chat_removed: {},
  chat_updated: {},
}

/** What each event that changes a message does to the loaded messages, by event. */
export const MESSAGE_CHANGES =
  /** @type {Record<import('./types').MessageEventName, (messages: Messages, frame: any) => void>} */ (
    Object.fromEntries(
      Object.entries(EVENTS).flatMap(([name, entry]) => ('change' in entry ? [[name, entry.change]] : [])),
    )
  )

export const MESSAGE_EVENTS = /** @type {import('./types').MessageEventName[]} */ (
  Object.keys(MESSAGE_CHANGES)
)
