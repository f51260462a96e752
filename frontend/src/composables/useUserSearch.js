import { useTimeoutFn } from '@vueuse/core'
import { ref, shallowRef, toValue, watch } from 'vue'
import { ApiError } from '@/services/http'
import { useUsers } from '@/stores/users'

const DELAY_MS = 180

/**
 * Finds the users whose names begin with a text, while it is typed.
 *
 * @param {import('vue').MaybeRefOrGetter<string | null>} query null: no search
 */
export function useUserSearch(query) {
  const users = useUsers()
  /** @type {import('vue').ShallowRef<import('@/types').User[]>} */
  const found = shallowRef([])
  /** @type {import('vue').Ref<'idle' | 'searching' | 'done' | 'failed'>} */
  const state = ref('idle')
  let latest = 0

  /** @param {string} q */
  async function search(q) {
    const mine = ++latest
    try {
      const answer = await users.search(q)
      if (mine !== latest) return
      found.value = answer
      state.value = 'done'
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (mine === latest) state.value = 'failed'
    }
  }

  const { start: searchSoon, stop } = useTimeoutFn(search, DELAY_MS, { immediate: false })

  watch(
    () => toValue(query)?.trim(),
    (q, before) => {
      stop()
      latest++ // an answer that is still under way is for an older query
      state.value = q == null ? 'idle' : 'searching'
      if (q == null) found.value = []
      else if (before === undefined) search(q)
      else searchSoon(q)
    },
    { immediate: true },
  )

  return { found, state }
}
