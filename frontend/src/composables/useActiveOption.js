import { computed, nextTick, ref, watch } from 'vue'

/**
 * The highlighted option of a list under a text field: the first one, until an arrow key or a choice takes another.
 *
 * @template {{ key: string }} Option
 * @param {import('vue').Ref<Option[]>} options
 * @param {object} how
 * @param {() => string} how.query what the options are for: with another query, the first one is highlighted again
 * @param {(option: Option) => string} how.idOf the id of its element
 * @param {(option: Option) => void} how.choose
 * @param {() => boolean} how.isAll whether no more options follow: then the last one leads to the first
 * @param {() => boolean} how.isEarly whether options that belong before the highlighted one are still to come
 */
export function useActiveOption(options, { query, idOf, choose, isAll, isEarly }) {
  /** The option that the user has gone to. */
  const chosenKey = ref(/** @type {string | null} */ (null))
  const chosen = computed(() => options.value.find(({ key }) => key === chosenKey.value))
  const active = computed(() => chosen.value ?? options.value[0] ?? null)
  /** Whether Enter was pressed too early. */
  let isAwaited = false

  watch(query, () => {
    chosenKey.value = null
    isAwaited = false
  })
  watch(isEarly, (early) => {
    if (early || !isAwaited) return
    isAwaited = false
    if (active.value) choose(active.value)
  })

  /** @param {1 | -1} step */
  async function move(step) {
    const count = options.value.length
    if (!count) return
    const next = options.value.indexOf(/** @type {Option} */ (active.value)) + step
    if (!isAll() && (next < 0 || next >= count)) return
    chosenKey.value = options.value[(next + count) % count].key
    await nextTick()
    if (active.value) document.getElementById(idOf(active.value))?.scrollIntoView({ block: 'nearest' })
  }

  function enter() {
    isAwaited = !chosen.value && isEarly()
    if (!isAwaited && active.value) choose(active.value)
  }

  /** Handles a key of the text field. @param {KeyboardEvent} event */
  function press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
    if (event.key === 'ArrowDown') move(1)
    else if (event.key === 'ArrowUp') move(-1)
    else if (event.key === 'Enter') enter()
    else return
    event.preventDefault()
  }

  /** Highlights an option, as where the user has been. @param {Option} option */
  const note = (option) => void (chosenKey.value = option.key)

  return { active, press, note }
}
