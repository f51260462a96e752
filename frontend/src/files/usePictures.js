import { tryOnScopeDispose, until } from '@vueuse/core'
import { computed, ref } from 'vue'
import { kindOf } from '@/text/attachments'
import { LARGEST_PAGE } from '@/timeline/pages'

/** So many pages are loaded for one more picture. Then the user has to want it again. */
const PAGES_MAX = 10

/**
 * @typedef {object} Picture
 * @property {import('@/types').Message} message
 * @property {import('@/types').Attachment} attachment
 */

/**
 * Leads through the pictures of a chat. Those of the loaded messages are known; more messages are loaded when the user is at
 * the first or the last of them.
 *
 * @param {import('@/stores/timelines').Timeline} timeline
 * @param {string} firstId the upload that is shown first
 */
export function usePictures(timeline, firstId) {
  const { state } = timeline
  const currentId = ref(firstId)

  /** @type {import('vue').ComputedRef<Picture[]>} */
  const pictures = computed(() =>
    state.messages.flatMap((message) =>
      (message.attachments ?? [])
        .filter((attachment) => kindOf(attachment) === 'picture')
        .map((attachment) => ({ message, attachment })),
    ),
  )
  const index = computed(() =>
    pictures.value.findIndex(({ attachment }) => attachment.id === currentId.value),
  )
  const current = computed(() => pictures.value[index.value])
  /** The turn that the user waits for: -1 or 1; 0: none. */
  const wanted = ref(0)
  let isSearching = false
  let isClosed = false
  tryOnScopeDispose(() => (isClosed = true))

  /** @param {number} step */
  const hasMore = (step) => (step < 0 ? state.hasBefore : state.hasAfter)
  /** Whether there is, or may be, a picture on that side. @param {number} step */
  const mayTurn = (step) => Boolean(pictures.value[index.value + step]) || hasMore(step)
  /** Whether the number of pictures is known. */
  const isWhole = computed(() => !state.hasBefore && !state.hasAfter)

  /** @param {number} to */
  function show(to) {
    const picture = pictures.value[Math.min(Math.max(to, 0), pictures.value.length - 1)]
    if (picture) currentId.value = picture.attachment.id
    lookAhead()
  }

  /** Shows the next picture, or the one before. @param {number} step 1 or -1 */
  function turn(step) {
    wanted.value = 0
    if (pictures.value[index.value + step]) return show(index.value + step)
    if (!hasMore(step)) return
    wanted.value = step
    search(step)
  }

  /** Loads messages at an end at which the user is. */
  function lookAhead() {
    for (const step of [-1, 1]) if (!pictures.value[index.value + step] && hasMore(step)) search(step)
  }

  /** Whether the gallery is open: the message of its picture may be deleted. */
  const mayGoOn = () => !isClosed && Boolean(current.value)

  /** Loads messages until there is a picture on a side. @param {number} step */
  async function search(step) {
    if (isSearching) return
    isSearching = true
    const load = step < 0 ? timeline.loadBefore : timeline.loadAfter
    for (let count = 0; count < PAGES_MAX && hasMore(step) && mayGoOn(); count++) {
      if (pictures.value[index.value + step]) break
      await until(() => state.loading).toBe(null)
      await load({ limit: LARGEST_PAGE })
      if (state.error) break
    }
    isSearching = false
    const turned = wanted.value
    wanted.value = 0
    if (!mayGoOn()) return
    // The user may have turned to the other side meanwhile.
    if (turned && (pictures.value[index.value + turned] || turned !== step)) turn(turned)
    else if (step < 0 && !pictures.value[index.value + 1] && hasMore(1)) search(1)
  }

  lookAhead()
  return { pictures, index, current, wanted, isWhole, mayTurn, show, turn }
}
