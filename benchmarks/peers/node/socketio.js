// A chat server on Socket.IO, tuned as https://socket.io/docs/v4/performance-tuning/ says: the native add-ons of ws are
// installed, and the server discards the request of the handshake.
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { headOf, newMessage } from './chats.js'

const http = createServer()
const io = new Server(http)
let users = 0

io.engine.on('connection', (rawSocket) => {
  rawSocket.request = null
})

io.on('connection', (socket) => {
  const userId = ++users
  socket.on('join_chat', ({ chat_id }, ack) => {
    socket.join(`chat:${chat_id}`)
    ack({ ok: true, head_seq: headOf(chat_id) })
  })
  socket.on('send_message', (sent, ack) => {
    const event = newMessage(sent, userId)
    io.to(`chat:${sent.chat_id}`).emit('new_message', event)
    ack({ ok: true, message: event.message, seq: event.seq, duplicate: false })
  })
  socket.emit('connected', { user_id: userId })
})

http.listen(Number(process.argv[2]), '127.0.0.1')
