import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import api from '@/services/api'
import { ApiError, request } from '@/services/http'
import * as tokens from '@/services/tokens'

/** Who is logged in. */
export const useSession = defineStore('session', () => {
  /** @type {import('vue').Ref<any>} one's own user, null when logged out */
  const me = ref(tokens.current()?.user ?? null)
  const isLoggedIn = computed(() => me.value !== null)
  const userId = computed(() => /** @type {number | null} */ (me.value?.id ?? null))
  /** @type {import('vue').Ref<'left' | 'ended' | null>} how the last session here went: by a wish of its user, or not */
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

  /** Out, whether the server hears it or not. */
  async function logout() {
    const session = tokens.current()
    ending.value = 'left'
    tokens.end()
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
    try {
      tokens.keepUser(await api.get('/users/me'))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  /**
   * @param {{ display_name?: string, password?: string, old_password?: string }} changes
   * @throws {ApiError}
   */
  async function updateMe(changes) {
    tokens.keepUser(await api.patch('/users/me', changes))
  }

  return { me, userId, isLoggedIn, isSwitched, ending, login, register, logout, token, check, updateMe }
})
