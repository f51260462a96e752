import { useTimeoutFn } from '@vueuse/core'
import { ref, shallowRef, toValue, watch } from 'vue'
import { ApiError } from '@/services/http'

const TYPING_MS = 180

/**
 * Loads a list that the server gives in pages, and loads it anew when its query changes.
 *
 * @template T
 * @param {(page: { q: string, cursor: string | null }) => Promise<{ items: T[], next_cursor?: string | null }>} request
 * @param {import('vue').MaybeRefOrGetter<string>} query
 */
export function usePages(request, query = '') {
  /** @type {import('vue').ShallowRef<T[]>} */
  const items = shallowRef([])
  /** @type {import('vue').Ref<'loading' | 'ready' | 'failed'>} */
  const state = ref('loading')
  /** @type {import('vue').Ref<string | null>} where the next page begins */
  const cursor = ref(null)
  let latest = 0
  let lastFrom = /** @type {string | null} */ (null)

  /** @param {string | null} from null: the first page, which replaces what is shown */
  async function loadFrom(from) {
    const mine = ++latest
    lastFrom = from
    state.value = 'loading'
    try {
      const page = await request({ q: toValue(query).trim(), cursor: from })
      if (mine !== latest) return
      items.value = from === null ? page.items : [...items.value, ...page.items]
      cursor.value = page.next_cursor ?? null
      state.value = 'ready'
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (mine === latest) state.value = 'failed'
    }
  }

  const load = () => loadFrom(null)
  const loadMore = () => loadFrom(cursor.value)
  /** Loads the page again that has failed. */
  const retry = () => loadFrom(lastFrom)

  const { start: loadSoon } = useTimeoutFn(load, TYPING_MS, { immediate: false })
  watch(
    () => toValue(query).trim(),
    () => {
      latest++ // an answer that is still under way is for an older query
      state.value = 'loading'
      loadSoon()
    },
  )
  load()

  return { items, state, cursor, load, loadMore, retry }
}
