/**
 * A chat in the terminal: prints what is said in a chat, and sends each line of the standard input.
 *
 *     npm install
 *     VESTNIK_URL=http://localhost:8000 VESTNIK_TOKEN=vb_... node node.mjs 1
 */

import { createInterface } from 'node:readline'
import { io } from 'socket.io-client'
import { openChat } from './chat.js'

const { VESTNIK_URL = 'http://localhost:8000', VESTNIK_TOKEN } = process.env
const chatId = Number(process.argv[2])
if (!VESTNIK_TOKEN || !chatId) {
  console.error('Usage: VESTNIK_TOKEN=... node node.mjs CHAT_ID')
  process.exit(2)
}

let printed = 0
const chat = openChat({
  io,
  server: VESTNIK_URL,
  token: () => VESTNIK_TOKEN, // that of a bot does not end
  chatId,
  onChange(messages) {
    for (const { seq, sender_id, content } of messages.filter((message) => message.seq > printed)) {
      console.log(`${sender_id}: ${content}`)
      printed = seq
    }
  },
})

for await (const line of createInterface({ input: process.stdin })) if (line.trim()) await chat.send(line)
chat.close()
