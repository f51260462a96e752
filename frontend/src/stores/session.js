import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import api from '@/services/api'
import { freshness } from '@/services/freshness'
import { ApiError, request } from '@/services/http'
import { forgetTexts } from '@/services/texts'
import * as tokens from '@/services/tokens'

/** Who is logged in. */
export const useSession = defineStore('session', () => {
  /** @type {import('vue').Ref<any>} one's own user, null when logged out */
  const me = ref(tokens.current()?.user ?? null)
  const isLoggedIn = computed(() => me.value !== null)
  const userId = computed(() => /** @type {number | null} */ (me.value?.id ?? null))
  /**
   * How the last session here went: by a wish of its user; as it was too old; by the server, which ended the session or
   * the account.
   *
   * @type {import('vue').Ref<'left' | 'ended' | 'revoked' | null>}
   */
  const ending = ref(null)
  /** Whether the account that is logged in came with another tab, instead of one that was used in this tab before. */
  const isSwitched = ref(false)
  let usedId = userId.value
  tokens.onChange((session, isElsewhere) => {
    const id = session?.user.id ?? null
    if (id !== userId.value) isSwitched.value = isElsewhere && id !== null && usedId !== null && usedId !== id
    usedId = id ?? usedId
    if (session) ending.value = null
    else if (me.value) ending.value ??= 'ended'
    me.value = session?.user ?? null
  })

  /**
   * @param {{ username: string, password: string }} credentials
   * @throws {ApiError}
   */
  async function login({ username, password }) {
    tokens.begin(await request('POST', '/auth/login', { body: { username, password } }))
    // What others have left unsent here is not for whoever is here now.
    forgetTexts((ownerId) => ownerId !== userId.value)
  }

  /**
   * A new account, and in.
   *
   * @param {{ username: string, password: string, display_name?: string, email?: string }} account
   * @throws {ApiError}
   */
  async function register(account) {
    await request('POST', '/auth/register', { body: account })
    await login(account)
  }

  /** Ends the session in this browser, with the texts that are not sent. @param {'left' | 'revoked'} how */
  function end(how) {
    const ownerId = userId.value
    ending.value = how
    tokens.end()
    forgetTexts((id) => id === ownerId)
  }

  /** A connection was ended for good: if the session is over as well, it is over here too, with all it left. */
  async function revoked() {
    const ownerId = userId.value
    await check()
    if (ending.value !== 'ended') return
    ending.value = 'revoked'
    forgetTexts((id) => id === ownerId)
  }

  /** Out, whether the server hears it or not. */
  async function logout() {
    const session = tokens.current()
    end('left')
    try {
      if (session) await request('POST', '/auth/logout', { token: session.access_token })
    } catch (error) {
      console.warn('The server was not told of the logout:', error)
    }
  }

  /**
   * For `websocket.connect(session.token)`. While the server cannot be asked for another token the old one is given:
   * the connection then fails in a way that is tried again.
   *
   * @param {{ fresh?: boolean }} options
   */
  async function token({ fresh = false } = {}) {
    const worn = tokens.current()?.access_token
    try {
      return await tokens.access({ fresh })
    } catch (error) {
      if (worn && error instanceof ApiError && error.retryable) return worn
      throw error
    }
  }

  /** Asks the server whether the session goes on; if it does not, it is over here too. */
  async function check() {
    const requestedAt = freshness.start()
    try {
      const user = await api.get('/users/me')
      if (freshness.accept('me', requestedAt)) tokens.keepUser(user)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // `forbidden`: the account has ended, of which the refresh token knows nothing yet.
      if (error.code === 'forbidden') end('revoked')
    }
  }

  /** Takes in what the server tells of oneself. @param {any} changes */
  function keepMe(changes) {
    freshness.changed('me')
    tokens.keepUser({ ...me.value, ...changes })
  }

  /**
   * @param {{ display_name?: string, password?: string, old_password?: string }} changes
   * @throws {ApiError}
   */
  async function updateMe(changes) {
    tokens.keepUser(await api.patch('/users/me', changes))
  }

  return {
    me,
    userId,
    isLoggedIn,
    isSwitched,
    ending,
    login,
    register,
    logout,
    token,
    check,
    revoked,
    keepMe,
    updateMe,
  }
})
