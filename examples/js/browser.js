/**
 * A chat in a page. Serve this folder (`python3 -m http.server 9000`) and open http://localhost:9000/browser.html. The
 * client of Socket.IO comes from the chat server.
 */

import { openChat } from './chat.js'

const login = document.querySelector('#login')
const composer = document.querySelector('#composer')
const list = document.querySelector('#messages')

/** A function that gives a token that works: a new one with `fresh`, or when the last one is nearly over. */
async function tokensOf(server, credentials) {
  let pair = await post('/auth/login', credentials)
  let endsAt = Date.now() + pair.expires_in * 1000

  async function post(path, body) {
    const headers = { 'Content-Type': 'application/json' }
    const answer = await fetch(`${server}/api${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    const found = await answer.json()
    if (!answer.ok) throw new Error(found.error.message)
    return found
  }

  return async function token({ fresh }) {
    if (fresh || Date.now() > endsAt - 60_000) {
      pair = await post('/auth/refresh', { refresh_token: pair.refresh_token })
      endsAt = Date.now() + pair.expires_in * 1000
    }
    return pair.access_token
  }
}

function show(messages) {
  list.replaceChildren(
    ...messages.map(({ sender_id, content }) => {
      const item = document.createElement('li')
      item.textContent = `${sender_id}: ${content}`
      return item
    }),
  )
}

login.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { server, username, password, chat: chatId } = Object.fromEntries(new FormData(login))
  const token = await tokensOf(server, { username, password })
  const { io } = await import(`${server}/socket.io/socket.io.esm.min.js`)
  const chat = openChat({ io, server, token, chatId: Number(chatId), onChange: show })
  login.hidden = true
  composer.hidden = false
  composer.addEventListener('submit', (event) => {
    event.preventDefault()
    chat.send(composer.elements.content.value)
    composer.reset()
  })
})
