import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { onEvent } from '@/composables/onEvent'
import api from '@/services/api'
import { forgetFiles } from '@/services/fileStore'
import { freshness } from '@/services/freshness'
import { ApiError, request } from '@/services/http'
import { load, save } from '@/services/storage'
import { forgetTexts } from '@/services/texts'
import * as tokens from '@/services/tokens'

const EPOCH = 'vestnik.epoch'

/** Removes the unsent texts and files of some users. @param {(ownerId: number) => boolean} isWanted */
function forgetUnsent(isWanted) {
  forgetTexts(isWanted)
  forgetFiles(isWanted)
}

/** The user who is logged in. */
export const useSession = defineStore('session', () => {
  /** The own user; null when nobody is logged in. */
  const me = ref(tokens.current()?.user ?? null)
  const isLoggedIn = computed(() => me.value !== null)
  const userId = computed(() => /** @type {number | null} */ (me.value?.id ?? null))
  /**
   * How the last session in this tab ended: `left` by the user, `ended` because it was too old, `revoked` from another
   * device, `closed` with the account, which was banned or deleted, `deleted` with the account, by the user here.
   *
   * @type {import('vue').Ref<'left' | 'ended' | 'revoked' | 'closed' | 'deleted' | null>}
   */
  const ending = ref(null)
  /** Whether another tab has logged in with another account than the one that this tab used before. */
  const isSwitched = ref(false)
  /** The path of the page that a new account begins with; null: the page that the user wanted. */
  const landing = ref(/** @type {string | null} */ (null))
  /** The server's name for its data. It outlives the page. */
  const epoch = ref(/** @type {string | null} */ (load(EPOCH)))
  /** How often the server was found to have restored a backup: ids and numbers mean other things then. */
  const restores = ref(0)
  /** Changes with the user and with a restored backup. Nothing that was known before is valid then. */
  const life = computed(() => `${userId.value} ${restores.value}`)
  // The first subscription of all: the stores forget what they know before they load what is shown now.
  onEvent('connected', ({ epoch: current }) => {
    if (!current || current === epoch.value) return
    const isRestored = epoch.value !== null
    save(EPOCH, (epoch.value = current))
    if (isRestored) restores.value++
  })
  let usedId = userId.value
  let isDeleting = false
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
    // What other users have not sent must not stay for this one.
    forgetUnsent((ownerId) => ownerId !== userId.value)
  }

  /**
   * Creates an account and logs in. `invite` and `setup_code` are those of links. Sets `landing`: the chat of the invite.
   *
   * @param {{ username: string, password: string, display_name?: string, invite?: string, setup_code?: string }} account
   * @throws {ApiError}
   */
  async function register(account) {
    const { chat_id } = await request('POST', '/auth/register', { body: account })
    landing.value = chat_id ? `/chats/${chat_id}` : '/'
    await login(account)
  }

  /** The page to go to after a login. @param {unknown} wanted a path of the client */
  function takeLanding(wanted) {
    const path = landing.value ?? String(wanted ?? '/')
    landing.value = null
    return path
  }

  /** Ends the session in this browser and removes its unsent texts. @param {'left' | 'closed' | 'deleted'} how */
  function end(how) {
    const ownerId = userId.value
    ending.value = how
    tokens.end()
    forgetUnsent((id) => id === ownerId)
  }

  /** The server has refused the connection for good. If the session has ended, it ends here, with its unsent texts. */
  async function revoked() {
    if (isDeleting) return
    const ownerId = userId.value
    await check()
    if (ending.value !== 'ended') return
    ending.value = 'revoked'
    forgetUnsent((id) => id === ownerId)
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
      if (error.code === 'forbidden') end('closed')
    }
  }

  /** Applies an event about the own user. @param {Partial<import('@/types').User>} changes */
  function keepMe(changes) {
    if (!me.value) return
    freshness.changed('me')
    tokens.keepUser({ ...me.value, ...changes })
  }

  /**
   * @param {{ display_name?: string, password?: string, old_password?: string, presence?: import('@/types').Presence }} changes
   * @throws {ApiError}
   */
  async function updateMe(changes) {
    const requestedAt = freshness.start()
    const user = await api.patch('/users/me', changes)
    if (freshness.accept('me', requestedAt)) tokens.keepUser(user)
  }

  /** Sets the own picture, or takes it away. @param {Blob | null} picture @throws {ApiError} */
  async function setAvatar(picture) {
    const requestedAt = freshness.start()
    const path = '/users/me/avatar'
    const user = await (picture ? api.put(path, picture) : api.delete(path))
    if (freshness.accept('me', requestedAt)) tokens.keepUser(user)
  }

  /**
   * Deletes the own account, for good.
   *
   * @param {string} password
   * @throws {ApiError} `forbidden`: the password is wrong; `conflict`: the user is the last admin
   */
  async function deleteMe(password) {
    isDeleting = true // the server ends the connection before it answers
    try {
      await api.post('/users/me/delete', { password })
      end('deleted')
    } finally {
      isDeleting = false
    }
  }

  return {
    me,
    userId,
    epoch,
    restores,
    life,
    isLoggedIn,
    isSwitched,
    ending,
    landing,
    takeLanding,
    login,
    register,
    logout,
    token,
    check,
    revoked,
    keepMe,
    updateMe,
    setAvatar,
    deleteMe,
  }
})
