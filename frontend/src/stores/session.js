import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import api from '@/services/api'
import { freshness } from '@/services/freshness'
import { ApiError, request } from '@/services/http'
import { forgetTexts } from '@/services/texts'
import * as tokens from '@/services/tokens'

/** The user who is logged in. */
export const useSession = defineStore('session', () => {
  /** The own user; null when nobody is logged in. */
  const me = ref(tokens.current()?.user ?? null)
  const isLoggedIn = computed(() => me.value !== null)
  const userId = computed(() => /** @type {number | null} */ (me.value?.id ?? null))
  /**
   * How the last session in this tab ended: `left` by the user, `ended` because it was too old, `revoked` by the server,
   * with the session or the account.
   *
   * @type {import('vue').Ref<'left' | 'ended' | 'revoked' | null>}
   */
  const ending = ref(null)
  /** Whether another tab has logged in with another account than the one that this tab used before. */
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
    // Unsent texts of other users must not stay for this one.
    forgetTexts((ownerId) => ownerId !== userId.value)
  }

  /**
   * Creates an account and logs in.
   *
   * @param {{ username: string, password: string, display_name?: string, email?: string }} account
   * @throws {ApiError}
   */
  async function register(account) {
    await request('POST', '/auth/register', { body: account })
    await login(account)
  }

  /** Ends the session in this browser and removes its unsent texts. @param {'left' | 'revoked'} how */
  function end(how) {
    const ownerId = userId.value
    ending.value = how
    tokens.end()
    forgetTexts((id) => id === ownerId)
  }

  /** The server has refused the connection for good. If the session has ended, it ends here, with its unsent texts. */
  async function revoked() {
    const ownerId = userId.value
    await check()
    if (ending.value !== 'ended') return
    ending.value = 'revoked'
    forgetTexts((id) => id === ownerId)
  }

  /** Logs out, also if the server cannot be reached. */
  async function logout() {
    const session = tokens.current()
    end('left')
    try {
      if (session) await request('POST', '/auth/logout', { token: session.access_token })
    } catch (error) {
      console.warn('The logout did not reach the server:', error)
    }
  }

  /**
   * The access token, for `websocket.connect(session.token)`. If the server cannot be reached for a new one, this gives
   * the old one: the connection then fails in a way that is retried.
   *
   * @param {{ fresh?: boolean }} options
   */
  async function token({ fresh = false } = {}) {
    const old = tokens.current()?.access_token
    try {
      return await tokens.access({ fresh })
    } catch (error) {
      if (old && error instanceof ApiError && error.retryable) return old
      throw error
    }
  }

  /** Loads the own user. If the session or the account has ended on the server, the session ends here. */
  async function check() {
    const requestedAt = freshness.start()
    try {
      const user = await api.get('/users/me')
      if (freshness.accept('me', requestedAt)) tokens.keepUser(user)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // `forbidden`: the account has ended. The refresh token does not say so yet.
      if (error.code === 'forbidden') end('revoked')
    }
  }

  /** Applies an event about the own user. @param {Partial<import('@/types').User>} changes */
  function keepMe(changes) {
    if (!me.value) return
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
