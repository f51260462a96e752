import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { ApiError, request } from '@/services/http'

/** @typedef {import('@/types').ServerInfo} ServerInfo */

/** A server of before these settings: it says nothing of itself, and takes anybody. @type {ServerInfo} */
const OLDER = { registration: 'open', setup_needed: false }

/** What the server says of itself to people who are not logged in. */
export const useServer = defineStore('server', () => {
  /** null: unknown as yet. */
  const info = ref(/** @type {ServerInfo | null} */ (null))
  const hasFailed = ref(false)

  /** Requests it anew: an admin may have been made meanwhile. */
  async function load() {
    hasFailed.value = false
    try {
      info.value = await request('GET', '/server')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.code === 'not_found') info.value = OLDER
      else hasFailed.value = true
    }
  }

  /** Who can create an account; null: unknown. */
  const registration = computed(() => info.value?.registration ?? null)
  const isSetupNeeded = computed(() => info.value?.setup_needed ?? false)

  return { info, hasFailed, registration, isSetupNeeded, load }
})
