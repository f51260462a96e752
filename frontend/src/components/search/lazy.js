import { useLazy } from '@/composables/useLazy'
import { useSearch } from '@/stores/search'

/** Loads what a search needs besides its field. */
export const loadResults = () => import('./SearchResults.vue')

/** What a search has found. It is loaded when the field has the focus for the first time. */
export const SearchResults = useLazy()(loadResults, () => useSearch().clear())
