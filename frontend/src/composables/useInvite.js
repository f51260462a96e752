import { ref, shallowRef } from 'vue'
import { ApiError, request } from '@/services/http'

/**
 * What an invite's link shows to anybody: who invites, and where.
 *
 * @param {string | null} code null: there is no invite
 */
export function useInvite(code) {
  const invite = shallowRef(/** @type {import('@/types').InvitePreview | null} */ (null))
  /** `dead`: it is used up, over or unknown. @type {import('vue').Ref<'none' | 'loading' | 'ready' | 'dead' | 'failed'>} */
  const state = ref('none')
  const failure = shallowRef(/** @type {ApiError | null} */ (null))

  async function load() {
    if (!code) return
    state.value = 'loading'
    try {
      invite.value = await request('GET', `/invites/${encodeURIComponent(code)}`)
      state.value = 'ready'
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure.value = error
      state.value = error.code === 'not_found' ? 'dead' : 'failed'
    }
  }

  return { invite, state, failure, load }
}
