import { defineAsyncComponent } from 'vue'
import { i18n } from '@/i18n'
import { useNotices } from './useNotices'

/** Components whose code is loaded when they are first shown. */
export function useLazy() {
  const { notify } = useNotices()

  /**
   * @param {() => Promise<any>} loader
   * @param {() => void} [giveUp] called if the code cannot be loaded
   */
  return function lazy(loader, giveUp = () => {}) {
    return defineAsyncComponent({
      loader,
      onError(error, _retry, fail) {
        console.warn('A part of the page could not be loaded:', error)
        giveUp()
        notify(i18n.global.t('errors.not_loaded'))
        fail()
      },
    })
  }
}
