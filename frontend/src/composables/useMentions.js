import { computed } from 'vue'
import { useSession } from '@/stores/session'
import { useUsers } from '@/stores/users'
import { isAll, mentionOf } from '@/text/mentions'

/**
 * Whom a message mentions, as the server says it.
 *
 * @param {() => Pick<import('@/types').Message, 'mentions' | 'mentions_all'>} message
 */
export function useMentions(message) {
  const session = useSession()
  const users = useUsers()

  /** The users who are mentioned, by their usernames in lower case. */
  const people = computed(() => {
    const found = (message().mentions ?? []).map((id) => users.get(id))
    return new Map(found.flatMap((user) => (user ? [[user.username.toLowerCase(), user]] : [])))
  })

  /** The mention that a part of the text is; null if it is none. @param {string} text such as `@bob.` */
  function find(text) {
    const all = message().mentions_all
    const found = mentionOf(text, (username) => people.value.has(username) || Boolean(all && isAll(username)))
    if (!found) return null
    const user = people.value.get(found.username)
    const isOwn = user ? user.id === session.userId : true
    return { end: found.end, name: user ? users.nameOf(user.id) : '', isOwn }
  }

  return find
}
