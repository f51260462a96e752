/**
 * One chat over socket.io-client, in Node and in browsers: tokens, acks, and recovery of what was missed.
 *
 * @param {object} options
 * @param {Function} options.io from socket.io-client
 * @param {string} options.server such as http://localhost:8000
 * @param {(options: { fresh: boolean }) => Promise<string> | string} options.token is called at each connect; `fresh`: the
 *   last token was refused, or ends within a minute
 * @param {number} options.chatId
 * @param {(messages: object[]) => void} options.onChange gets all messages that are known, in order, after each change
 */
export function openChat({ io, server, token, chatId, onChange }) {
  const messages = new Map()
  /** The number of the last change that is applied. */
  let position = 0
  /** The server's name for its data when that number was taken; after a restored backup the numbers mean other changes. */
  let epoch
  let isJoined = false
  /** Whether the next connect needs a fresh token, and whether the last one had one. */
  let needsFresh = false
  let wasFresh = false

  const socket = io(server, {
    auth: async (send) => {
      wasFresh = needsFresh
      needsFresh = false
      send({ token: await token({ fresh: wasFresh }) })
    },
  })

  // `connected` is the first event of each connection, also after a lost one.
  socket.on('connected', (frame) => join(frame.epoch))

  socket.on('connect_error', ({ data }) => {
    if (!data) return // the server was not reached: the client tries again by itself
    if (data.close_code !== 4401 || wasFresh) return void console.error('refused:', data.message)
    needsFresh = true
    socket.connect()
  })
  // 4401 ends a connection whose token is over: the next one begins with a fresh token.
  socket.on('closing', ({ code }) => {
    if (code !== 4401) return
    needsFresh = true
    socket.once('disconnect', () => socket.connect())
  })
  socket.on('token_expiring', async () => {
    socket.emit('refresh_token', { token: await token({ fresh: true }) })
  })

  /** Joins from where the client is: the server replays what was missed, and answers after that. */
  async function join(current = epoch) {
    isJoined = false
    epoch ??= current
    const ack = await command('join_chat', { chat_id: chatId, after_seq: position, epoch })
    if (ack === null) return // the connection is lost; the next one joins again
    if (!ack.ok) throw new Error(`${ack.error.code}: ${ack.error.message}`)
    if (ack.gap) {
      // Too much was missed for a replay: everything is loaded anew, and only then joined.
      const page = await history()
      messages.clear()
      for (const message of page.messages) messages.set(message.id, message)
      position = page.head_seq
      epoch = current
      return join()
    }
    position = ack.head_seq
    isJoined = true
    changed()
  }

  async function history() {
    const headers = { Authorization: `Bearer ${await token({ fresh: false })}` }
    const answer = await fetch(`${server}/api/chats/${chatId}/messages?limit=200`, { headers })
    if (!answer.ok) throw new Error(`the history cannot be loaded: ${answer.status}`)
    return answer.json()
  }

  /** Applies a change. Frames that come before the ack of a join are part of the replay, or follow it. */
  function receive(frame, apply) {
    if (frame.chat_id !== chatId) return
    if (isJoined) {
      if (frame.seq <= position) return
      if (frame.seq > position + 1) return void join() // something was lost
      position = frame.seq
    }
    apply()
    if (isJoined) changed()
  }

  const put = (frame) => receive(frame, () => messages.set(frame.message.id, frame.message))
  socket.on('new_message', put)
  socket.on('message_updated', put)
  socket.on('message_deleted', (frame) => receive(frame, () => messages.delete(frame.message_id)))
  // This example shows neither reactions nor pins, but they take numbers too.
  for (const name of ['reaction_added', 'reaction_removed', 'message_pinned', 'message_unpinned'])
    socket.on(name, (frame) => receive(frame, () => {}))

  function changed() {
    onChange([...messages.values()].sort((a, b) => a.seq - b.seq))
  }

  /** The ack of a command; null if there is none. */
  async function command(name, payload) {
    try {
      return await socket.timeout(10_000).emitWithAck(name, payload)
    } catch {
      return null
    }
  }

  return {
    socket,

    /**
     * Sends a message, again until it is acked. The server recognizes a repeat by its `client_id`, so the message is there
     * once. Throws if the server refuses it.
     */
    async send(content) {
      const client_id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        byte.toString(16),
      ).join('-')
      for (;;) {
        const ack = await command('send_message', { chat_id: chatId, content, client_id })
        if (ack?.ok) return ack.message
        if (ack && !ack.error.retryable) throw new Error(`${ack.error.code}: ${ack.error.message}`)
        await new Promise((resolve) => setTimeout(resolve, ack?.error.retry_after_ms ?? 1000))
      }
    },

    close: () => socket.close(),
  }
}
