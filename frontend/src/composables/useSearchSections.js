import { computed, reactive, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { folded, isSearchable } from '@/text/searchWords'
import { useChats } from '@/stores/chats'
import { useSearch } from '@/stores/search'
import { useAction } from './useAction'
import { useMessageSearch } from './useMessageSearch'
import { useUserSearch } from './useUserSearch'

/** So many chats and people are shown at first, so that messages are not far down. */
const SHOWN = 5

/**
 * @typedef {{ key: string, chat?: import('@/types').Chat, user?: import('@/types').User, message?: import('@/types').Message,
 *   more?: string }} Option `more`: shows all of this section
 * @typedef {{ key: string, title: string, options: Option[], count: number }} Section
 */

/** What the present search finds: chats, people and messages. */
export function useSearchSections() {
  const { t } = useI18n()
  const chats = useChats()
  const search = useSearch()
  const { run } = useAction()

  /** The text to look for among chats and people: with a filter, only messages are wanted. */
  const name = computed(() => (search.isFiltered ? '' : folded(search.wanted)))
  // This needs the whole list.
  watch(name, (text) => text && run(chats.loadAll), { immediate: true })
  const foundChats = computed(() =>
    name.value
      ? [...chats.list, ...chats.hidden].filter((chat) => folded(chats.titleOf(chat)).includes(name.value))
      : [],
  )

  const { found, state: peopleState } = useUserSearch(() => (name.value ? search.wanted : null))
  /** @param {import('@/types').User} user */
  const isNamedSo = (user) =>
    [user.username, user.display_name ?? ''].some((one) => folded(one).startsWith(name.value))
  // Until the answer comes, those of the answer before that still fit.
  const people = computed(() =>
    chats.withoutPrivate(peopleState.value === 'done' ? found.value : found.value.filter(isNamedSo)),
  )

  /** Whether there is something to look for in messages. */
  const hasWords = computed(() => isSearchable(search.wanted))
  const messages = useMessageSearch(() =>
    hasWords.value || search.has
      ? { q: search.wanted, chatId: search.chatId, fromId: search.fromId, has: search.has }
      : null,
  )
  // A chat that is hidden is not in the list.
  const asked = new Set()
  watch(messages.items, (found) => {
    for (const id of new Set(found.map(({ chat_id }) => chat_id))) {
      if (chats.get(id) || asked.has(id)) continue
      asked.add(id)
      chats.fetch(id).catch(() => {})
    }
  })

  /** The sections of which all is shown. @type {Set<string>} */
  const whole = reactive(new Set())
  watch(name, () => whole.clear())

  /** @param {string} key @param {string} title @param {Option[]} all @returns {Section} */
  function shortened(key, title, all) {
    const isShort = whole.has(key) || all.length <= SHOWN + 1
    const options = isShort ? all : [...all.slice(0, SHOWN), { key: `more ${key}`, more: key }]
    return { key, title, options, count: all.length }
  }

  const sections = computed(() => {
    const all = messages.items.value.map((message) => ({ key: `message-${message.id}`, message }))
    return [
      shortened(
        'chats',
        t('chats.title'),
        foundChats.value.map((chat) => ({ key: `chat-${chat.id}`, chat })),
      ),
      shortened(
        'people',
        t('chats.people'),
        people.value.map((user) => ({ key: `user-${user.id}`, user })),
      ),
      { key: 'messages', title: t('find.messages'), options: all, count: all.length },
    ].filter(({ count }) => count)
  })

  return {
    sections,
    messages,
    peopleState,
    hasWords,
    /** @param {string} key of a section */
    showAll: (key) => whole.add(key),
    /** @param {string} key */
    countOf: (key) => sections.value.find((section) => section.key === key)?.count ?? 0,
  }
}
