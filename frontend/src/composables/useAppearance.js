import { onUpdated } from 'vue'

/**
 * Animates the messages that are added at the end of a log while the reader follows it.
 *
 * @param {import('vue').Ref<HTMLElement | null>} log
 * @param {import('vue').Ref<{ key: string }[]>} rows
 * @param {import('vue').Ref<boolean>} follows
 */
export function useAppearance(log, rows, follows) {
  let newest = /** @type {string | undefined} */ (undefined)

  onUpdated(() => {
    const before = rows.value.findIndex(({ key }) => key === newest)
    newest = rows.value.at(-1)?.key
    if (follows.value && before >= 0) appear(rows.value.length - 1 - before)
  })

  /** @param {number} count of messages */
  function appear(count) {
    if (!count || matchMedia('(prefers-reduced-motion: reduce)').matches) return
    const messages = [...(log.value?.querySelectorAll('[data-seq]') ?? [])].slice(-count)
    const from = { opacity: 0, transform: 'translateY(10px)' }
    for (const message of messages) message.animate([from, {}], { duration: 180, easing: 'ease-out' })
  }
}
