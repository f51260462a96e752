import { computed, ref, shallowRef, useId, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { isComposing } from '@/services/keys'
import { change, replace } from '@/services/textField'
import { useChats } from '@/stores/chats'
import { useSession } from '@/stores/session'
import { beginningAt, emojiNameAt, matching } from '@/text/completions'
import { mayMentionAll } from '@/text/mentions'

const SHOWN_MAX = 8

/**
 * @typedef {object} Option
 * @property {string} key
 * @property {string} insert what picking it puts into the text
 * @property {import('@/types').User} [user]
 * @property {import('@/emoji/emojiList').Emoji} [emoji]
 * @property {string} [code] of the emoji: what is between its colons
 */

/** The id of an option's element. @param {string} listId @param {Option} option */
export const optionId = (listId, { key }) => `${listId}-${key}`

/**
 * Completes the names of members after `@` and of emoji after `:` in a text field. Enter and Tab pick the highlighted
 * option, the arrow keys move it, Escape closes the list.
 *
 * @param {import('vue').Ref<HTMLTextAreaElement | null>} field
 * @param {() => import('@/types').Chat} chat
 */
export function useCompletion(field, chat) {
  const { locale } = useI18n()
  const chats = useChats()
  const session = useSession()
  /** @type {import('vue').ShallowRef<import('@/text/completions').Beginning | null>} */
  const beginning = shallowRef(null)
  /** The place of the `@` or `:` whose list the user has closed. */
  let closedAt = -1
  /** The code and data of emoji, once they are loaded. @type {import('vue').ShallowRef<{ list: import('@/emoji/emojiList').Emoji[] } & typeof import('@/emoji/searchEmoji') | null>} */
  const emoji = shallowRef(null)
  watch(locale, () => (emoji.value = null))
  const recent = shallowRef(
    /** @type {ReturnType<typeof import('@/emoji/emojiStore').useEmoji> | null} */ (null),
  )

  const options = computed(() => {
    if (!beginning.value) return []
    const { kind, query } = beginning.value
    return (kind === 'person' ? people(query) : emojiFor(query)).slice(0, SHOWN_MAX)
  })
  const id = useId()
  const index = ref(0)
  const highlighted = computed(() => options.value[index.value] ?? options.value[0] ?? null)
  /** The id of the element of the highlighted option. */
  const activeId = computed(() => highlighted.value && optionId(id, highlighted.value))
  watch(
    () => beginning.value && beginning.value.kind + beginning.value.query,
    () => (index.value = 0),
  )

  /** @param {string} query @returns {Option[]} */
  function people(query) {
    const members = chats.members(chat().id) ?? []
    const users = members
      .map(({ user }) => user)
      .filter(({ id, active }) => id !== session.userId && active !== false)
    const found = matching(users, query).map((user) => ({
      key: `${user.id}`,
      insert: `@${user.username} `,
      user,
    }))
    const isAll = mayMentionAll(chat()) && 'all'.startsWith(query)
    return isAll ? [...found.slice(0, SHOWN_MAX - 1), { key: 'all', insert: '@all ' }] : found
  }

  /** @param {string} query @returns {Option[]} */
  function emojiFor(query) {
    if (!emoji.value) return []
    const { list, searchEmoji, codeOf } = emoji.value
    const found = searchEmoji(list, query, { limit: SHOWN_MAX, recent: recent.value?.recent })
    return found.map((one) => ({
      key: one.emoji,
      insert: `${recent.value?.toned(one) ?? one.emoji} `,
      emoji: one,
      code: codeOf(one, query),
    }))
  }

  /** Loads what the completion of emoji needs. Without it nothing is completed; the next name tries again. */
  async function prepareEmoji() {
    if (emoji.value) return
    try {
      const [{ loadEmoji }, search, store] = await Promise.all([
        import('@/emoji/emojiList'),
        import('@/emoji/searchEmoji'),
        import('@/emoji/emojiStore'),
      ])
      emoji.value = { list: await loadEmoji(locale.value), ...search }
      recent.value = store.useEmoji()
    } catch (error) {
      console.warn('The emoji could not be loaded:', error)
    }
  }

  /** Looks at what is before the caret. To be called after each change of the text, of the selection and of the focus. */
  function look() {
    const element = field.value === document.activeElement ? field.value : null
    const caret = element && element.selectionStart === element.selectionEnd ? element.selectionStart : null
    const found = element && caret !== null ? beginningAt(element.value, caret) : null
    if (found?.start !== closedAt) closedAt = -1
    beginning.value = found && found.start === closedAt ? null : found
    if (found?.kind === 'emoji') prepareEmoji()
  }

  /** Replaces a whole name such as `:smile:` when its second colon is typed. @param {InputEvent} event */
  function finishName({ data }) {
    const element = field.value
    const found = data === ':' && element && emojiNameAt(element.value, element.selectionStart)
    const one = found && emoji.value?.emojiOfName(emoji.value.list, found.name)
    if (!one) return
    replace(element, found, recent.value?.toned(one) ?? one.emoji)
    recent.value?.use(one.emoji)
  }

  /** @param {Option} option */
  function pick(option) {
    const { start, end } = beginning.value ?? { start: 0, end: 0 }
    const element = field.value
    if (!element || !beginning.value) return
    element.focus()
    // A blank that is there already is not doubled.
    const rest = element.value.slice(end)
    const insert = /^\s/.test(rest) ? option.insert.trimEnd() : option.insert
    const caret = start + option.insert.length
    change(element, { start, end, insert, selected: [caret, caret] })
    if (option.emoji) recent.value?.use(option.emoji.emoji)
    close()
  }

  /** Closes the list until another name begins. */
  function close() {
    closedAt = beginning.value?.start ?? -1
    beginning.value = null
  }

  /** Handles a key; whether it was for the list. @param {KeyboardEvent} event */
  function press(event) {
    const count = options.value.length
    if (!count || isComposing(event) || event.altKey || event.ctrlKey || event.metaKey) return false
    if (event.key === 'Escape') close()
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) pick(highlighted.value)
    else if (event.key === 'ArrowDown') index.value = (options.value.indexOf(highlighted.value) + 1) % count
    else if (event.key === 'ArrowUp')
      index.value = (options.value.indexOf(highlighted.value) + count - 1) % count
    else return false
    event.preventDefault()
    event.stopPropagation()
    return true
  }

  return { id, options, highlighted, activeId, beginning, look, finishName, pick, press }
}
