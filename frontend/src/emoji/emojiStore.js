import { defineStore } from 'pinia'
import { reactive, toRefs, watch } from 'vue'
import { load, save } from '@/services/storage'

const KEY = 'vestnik.emoji'
const RECENT_MAX = 24
const TONES = 6

/** The emoji that were used last in this browser, the newest first, and the chosen skin tone: 0 is the yellow one. */
export const useEmoji = defineStore('emoji', () => {
  const state = reactive(restored())
  window.addEventListener('storage', ({ key }) => {
    if (key === KEY || key === null) Object.assign(state, restored())
  })
  watch(state, () => save(KEY, state), { flush: 'sync' })

  /** @param {string} emoji */
  function use(emoji) {
    state.recent = [emoji, ...state.recent.filter((other) => other !== emoji)].slice(0, RECENT_MAX)
  }

  /** An emoji in the chosen skin tone. @param {import('@/emoji/emojiList').Emoji} emoji */
  const toned = ({ emoji, skins }) => skins[state.tone - 1] ?? emoji

  return { ...toRefs(state), use, toned }
})

/** @returns {{ recent: string[], tone: number }} */
function restored() {
  const { recent, tone } = load(KEY) ?? {}
  const isKnown = Number.isInteger(tone) && tone >= 0 && tone < TONES
  const texts = Array.isArray(recent)
    ? recent.filter((one) => typeof one === 'string' && one.length < 40)
    : []
  return { recent: texts.slice(0, RECENT_MAX), tone: isKnown ? tone : 0 }
}
