import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { onEvent } from '@/composables/onEvent'
import api, { ApiError } from '@/services/api'
import { createOnce } from '@/services/once'
import { useSession } from './session'
import { useUsers } from './users'

/** @typedef {import('@/types').User} User */

/** The people whom the user has blocked. They are loaded when they are first asked for, and again after each connection. */
export const useBlocks = defineStore('blocks', () => {
  const session = useSession()
  const users = useUsers()
  const once = createOnce()
  /** @type {Map<number, User>} */
  const blocked = reactive(new Map())
  const isLoaded = ref(false)
  let isWanted = false

  watch(
    () => session.life,
    () => {
      blocked.clear()
      isLoaded.value = isWanted = false
    },
    { flush: 'sync' },
  )
  onEvent('connected', () => isWanted && load().catch(ignore))

  /** @throws {ApiError} */
  function load() {
    isWanted = true
    return once('blocks', async () => {
      const { life } = session
      /** @type {User[]} */
      const found = []
      let cursor = null
      do {
        const page = await api.get('/users/me/blocks', { cursor })
        found.push(...page.users)
        cursor = page.next_cursor ?? null
      } while (cursor)
      if (session.life !== life) return // another user has logged in, or a backup was restored
      blocked.clear()
      for (const one of found) keep(one)
      isLoaded.value = true
    })
  }

  /** @param {User} user */
  function keep(user) {
    users.put(user)
    blocked.set(user.id, users.known(user.id) ?? user)
  }

  /** Without a connection nothing is retried: the next one loads it. @param {unknown} error */
  function ignore(error) {
    if (!(error instanceof ApiError)) throw error
  }

  /** Whether the user has blocked somebody; false until it is loaded, which this starts. @param {number | null | undefined} userId */
  function isBlocked(userId) {
    if (!isWanted) load().catch(ignore)
    return userId != null && blocked.has(userId)
  }

  /** @param {number} userId @throws {ApiError} */
  async function block(userId) {
    await api.put(`/users/${userId}/block`)
    const user = users.known(userId)
    if (user) blocked.set(userId, user)
    if (!user || once.isPending('blocks')) await load()
  }

  /** @param {number} userId @throws {ApiError} */
  async function unblock(userId) {
    await api.delete(`/users/${userId}/block`)
    blocked.delete(userId)
    if (once.isPending('blocks')) await load()
  }

  return { list: computed(() => [...blocked.values()]), isLoaded, load, isBlocked, block, unblock }
})
