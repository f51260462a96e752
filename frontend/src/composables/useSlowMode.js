import { useIntervalFn } from '@vueuse/core'
import { computed, ref, watch } from 'vue'
import { useOutbox } from '@/stores/outbox'
import { useSession } from '@/stores/session'

const TICK_MS = 250

/**
 * How long the slow mode of a chat still keeps the user from sending. It begins with the user's last message; when the
 * server asks to wait, its word counts.
 *
 * @param {() => import('@/types').Chat} chatOf
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useSlowMode(chatOf, timeline) {
  const session = useSession()
  const outbox = useOutbox()

  /** The pause between two messages, 0 for admins and owners. */
  const pauseS = computed(() => (chatOf().role === 'member' ? (chatOf().slow_mode_s ?? 0) : 0))
  const sending = computed(() =>
    pauseS.value ? outbox.entriesOf(chatOf().id).filter(({ state }) => state === 'sending') : [],
  )
  const lastOwn = computed(() =>
    pauseS.value
      ? timeline.state.messages.findLast(({ sender_id }) => sender_id === session.userId)
      : undefined,
  )
  /** When the last message lets the next one follow, by the browser's clock. */
  const followsAt = ref(0)
  watch(
    [() => lastOwn.value?.id, pauseS],
    () => {
      // The clocks of the server and the browser may differ: nobody waits longer than the pause.
      const rest = Date.parse(lastOwn.value?.created_at ?? '') + pauseS.value * 1000 - Date.now()
      followsAt.value = lastOwn.value ? Date.now() + Math.min(rest, pauseS.value * 1000) : 0
    },
    { immediate: true },
  )
  const readyAt = computed(() =>
    Math.max(followsAt.value, ...sending.value.map(({ retryAt }) => retryAt ?? 0)),
  )

  const now = ref(Date.now())
  const { pause, resume } = useIntervalFn(() => (now.value = Date.now()), TICK_MS, {
    immediate: false,
    immediateCallback: true,
  })
  const restS = computed(() => Math.ceil(Math.max(0, readyAt.value - now.value) / 1000))
  watch(readyAt, resume, { immediate: true })
  watch(restS, (rest) => rest || pause(), { immediate: true })

  return { pauseS, restS, isWaiting: computed(() => restS.value > 0 || sending.value.length > 0) }
}
