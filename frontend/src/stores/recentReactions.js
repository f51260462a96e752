import { defineStore } from 'pinia'
import { ref } from 'vue'
import { load, save } from '@/services/storage'

const KEY = 'vestnik.reactions'
const KEPT = 6
/** Stand in for reactions that the user has not chosen yet. As the server stores them. */
const FIRST = ['👍', '❤', '😂', '🎉', '😮', '🙏']
const EMOJI_CHARS_MAX = 32

/** The emoji with which the user has reacted last in this browser, the newest first. */
export const useRecentReactions = defineStore('recentReactions', () => {
  const emoji = ref(restored())

  /** @param {string} one as the server stores it */
  function use(one) {
    emoji.value = filled([one, ...emoji.value])
    save(KEY, emoji.value)
  }

  return { emoji, use }
})

/** @param {string[]} list */
function filled(list) {
  return [...new Set([...list, ...FIRST])].slice(0, KEPT)
}

function restored() {
  const kept = load(KEY)
  const isEmoji = (/** @type {unknown} */ one) => typeof one === 'string' && one.length <= EMOJI_CHARS_MAX
  return filled(Array.isArray(kept) ? kept.filter(isEmoji) : [])
}
