/**
 * For an application with a login of its own, in place of examples/vue/src/session.js: the backend of the page's own
 * origin logs people in, and gives whoever is logged in a token for the chat. Throws if it refuses.
 */
export async function logIn(username, password) {
  await ask('/login', { username, password })
  let pair = await ask('/chat-token')
  let endsAt = Date.now() + pair.expires_in * 1000

  /** A token that works; with `fresh` a new one. */
  async function token({ fresh = false } = {}) {
    if (fresh || Date.now() > endsAt - 60_000) {
      pair = await ask('/chat-token')
      endsAt = Date.now() + pair.expires_in * 1000
    }
    return pair.token
  }

  const me = await fetch('/api/users/me', { headers: { Authorization: `Bearer ${pair.token}` } })
  if (!me.ok) throw new Error(`the chat refused the token: ${(await me.json()).error.message}`)
  return { userId: (await me.json()).id, token }
}

async function ask(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
  return answer.status === 204 ? null : answer.json()
}
