import { onScopeDispose, ref, toValue, watch } from 'vue'
import { momentOf } from '@/i18n/dates'

/** The longest time of a timer in a browser. */
const TIMER_MAX_MS = 2 ** 31 - 1
/** A mute that lasts longer is meant for good. */
const LONG_MS = 10 * 365 * 86_400_000

/** Whether a mute has no end that matters. @param {string} until @param {number} [from] in ms since 1970 */
export const isForGood = (until, from = Date.now()) => Date.parse(until) - from > LONG_MS

/** Whether a mute still lasts. @param {string | null | undefined} until */
export const isMuted = (until) => Boolean(until) && Date.parse(String(until)) > Date.now()

/**
 * The words for a mute.
 *
 * @param {(key: string, named?: object) => string} t
 * @param {{ until: string, forGood: string }} keys of the texts, `until` with `{when}`
 * @param {string} until
 * @param {object} [named] more values of the texts
 */
export function muteText(t, keys, until, named = {}) {
  return isForGood(until) ? t(keys.forGood, named) : t(keys.until, { ...named, when: momentOf(until) })
}

/**
 * Until when somebody is muted; null as soon as the time is over.
 *
 * @param {import('vue').MaybeRefOrGetter<string | null | undefined>} until
 */
export function useMute(until) {
  const mutedUntil = ref(/** @type {string | null} */ (null))
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)

  function update() {
    clearTimeout(timer)
    const end = toValue(until) ?? null
    mutedUntil.value = isMuted(end) ? end : null
    if (mutedUntil.value)
      timer = setTimeout(update, Math.min(Date.parse(mutedUntil.value) - Date.now() + 1, TIMER_MAX_MS))
  }
  watch(() => toValue(until), update, { immediate: true, flush: 'sync' })
  onScopeDispose(() => clearTimeout(timer))

  return mutedUntil
}
