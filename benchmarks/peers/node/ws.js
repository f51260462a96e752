// A chat server on ws. It broadcasts as the README of ws does ("Server broadcast"), but only to the members of a room.
// The native add-ons are installed; permessage-deflate is off, which is the default.
import { WebSocket, WebSocketServer } from 'ws'
import { headOf, newMessage } from './chats.js'

const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1' })
const rooms = new Map()
let users = 0

const commands = {
  join_chat({ chat_id }, client) {
    if (!rooms.has(chat_id)) rooms.set(chat_id, new Set())
    rooms.get(chat_id).add(client)
    return { head_seq: headOf(chat_id) }
  },
  send_message(sent, _client, userId) {
    const event = newMessage(sent, userId)
    const data = JSON.stringify({ type: 'new_message', ...event })
    rooms.get(sent.chat_id).forEach((member) => {
      if (member.readyState === WebSocket.OPEN) member.send(data)
    })
    return { message: event.message, seq: event.seq, duplicate: false }
  },
}

server.on('connection', (client) => {
  const userId = ++users
  client.on('error', console.error)
  client.on('close', () => rooms.forEach((members) => members.delete(client)))
  client.on('message', (data) => {
    const frame = JSON.parse(data)
    const result = commands[frame.type](frame, client, userId)
    client.send(JSON.stringify({ type: 'ack', id: frame.id, ok: true, ...result }))
  })
  client.send(JSON.stringify({ type: 'connected', user_id: userId }))
})
