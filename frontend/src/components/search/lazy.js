import { defineAsyncComponent } from 'vue'
import { useNotices } from '@/composables/useNotices'
import { i18n } from '@/i18n'
import { useSearch } from '@/stores/search'

/** Loads what a search needs besides its field. */
export const loadResults = () => import('./SearchResults.vue')

/** What a search has found. It is loaded when the field has the focus for the first time. */
export const SearchResults = defineAsyncComponent({
  loader: loadResults,
  onError(error, _retry, fail) {
    console.warn('Search could not be loaded:', error)
    useSearch().clear()
    useNotices().notify(i18n.global.t('errors.not_loaded'))
    fail()
  },
})
