import { onScopeDispose, ref, shallowRef, toValue, watch } from 'vue'
import { ApiError } from '@/services/http'
import { useUsers } from '@/stores/users'

const DELAY_MS = 180

/**
 * Users whose names begin with what is being typed.
 *
 * @param {import('vue').MaybeRefOrGetter<string | null>} query null: nobody is looked for
 */
export function useUserSearch(query) {
  const users = useUsers()
  /** @type {import('vue').ShallowRef<any[]>} */
  const found = shallowRef([])
  /** @type {import('vue').Ref<'idle' | 'searching' | 'done' | 'failed'>} */
  const state = ref('idle')
  let timer = /** @type {any} */ (undefined)
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

  watch(
    () => toValue(query)?.trim(),
    (q, before) => {
      clearTimeout(timer)
      latest++ // what is still under way is not asked for any more
      if (q == null) {
        found.value = []
        state.value = 'idle'
        return
      }
      state.value = 'searching'
      timer = setTimeout(() => search(q), before === undefined ? 0 : DELAY_MS)
    },
    { immediate: true },
  )
  onScopeDispose(() => clearTimeout(timer))

  return { found, state }
}
