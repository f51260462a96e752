import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { mount } from '@vue/test-utils'
import { fakeRest } from './fakeRest'
import { openApp } from './app'

let i18n, useAuditWords, users, mounted

beforeEach(async () => {
  await openApp()
  fakeRest({})
  ;({ i18n } = await import('@/i18n'))
  ;({ useAuditWords } = await import('@/composables/useAuditWords'))
  users = (await import('@/stores/users')).useUsers()
  for (const [id, username] of [
    [2, 'Bob'],
    [3, 'Carol'],
  ])
    users.put({ id, username, display_name: username })
})

afterEach(() => {
  mounted.unmount()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** @param {'chat' | 'server'} of */
function sentenceOf(entry, of = 'chat') {
  let words
  const Page = { setup: () => void (words = useAuditWords(of)), template: '', render: () => null }
  mounted = mount(Page, { global: { plugins: [i18n] } })
  return words({ id: 1, at: '2025-11-23T10:00:00Z', actor_id: 2, ...entry })
}

const carol = { user_id: 3 }

test.each([
  [{ action: 'renamed', detail: 'Lobby' }, 'Bob renamed the chat to “Lobby”'],
  [{ action: 'member_added', ...carol, detail: 'member' }, 'Bob added Carol'],
  [{ action: 'member_joined', actor_id: 3, ...carol }, 'Carol joined'],
  [{ action: 'role_changed', ...carol, detail: 'admin' }, 'Bob made Carol an admin'],
  [{ action: 'role_changed', actor_id: null, ...carol, detail: 'owner' }, 'Carol became an owner'],
  [{ action: 'muted', ...carol, detail: '2199-11-23T12:00:00Z' }, 'Bob muted Carol'],
  [{ action: 'unmuted', ...carol }, 'Bob lifted the mute of Carol'],
  [{ action: 'banned', ...carol, detail: null }, 'Bob banned Carol'],
  [{ action: 'banned', ...carol, detail: 'spam' }, 'Bob banned Carol: “spam”'],
  [{ action: 'slow_mode_changed', detail: '30' }, 'Bob set the slow mode to 30 seconds'],
  [{ action: 'slow_mode_changed', detail: '0' }, 'Bob turned the slow mode off'],
  [{ action: 'message_deleted', message_id: 7, ...carol }, 'Bob deleted a message of Carol'],
  [{ action: 'message_pinned', message_id: 7, ...carol }, 'Bob pinned a message of Carol'],
  [{ action: 'message_unpinned', message_id: 7, ...carol }, 'Bob unpinned a message of Carol'],
  [{ action: 'avatar_changed' }, 'Bob changed the picture of the chat'],
  [{ action: 'avatar_removed' }, 'Bob removed the picture of the chat'],
  [{ action: 'member_removed', actor_id: null, ...carol }, 'The server removed Carol'],
  [{ action: 'something_new' }, 'Bob: something_new'],
])('%o', (entry, words) => expect(sentenceOf(entry)).toBe(words))

const [, ACTIONS] = /\*Audit\*[^]*? Actions: ([^]*?); of these/.exec(
  readFileSync('../docs/protocol.md', 'utf8'),
)
test.each([...ACTIONS.replaceAll(/\([^)]*\)/g, '').matchAll(/`(\w+)`/g)].map(([, action]) => action))(
  '%s has a sentence',
  (action) => {
    expect(sentenceOf({ action, ...carol, detail: '' })).not.toContain(`: ${action}`)
  },
)

test('a mute names its end', () => {
  const words = sentenceOf({ action: 'muted', ...carol, detail: '2025-11-24T10:00:00Z' })
  expect(words).toMatch(/^Bob muted Carol until .*24.*\d:\d\d/)
})

test('an act on an account, by the command line', () => {
  expect(sentenceOf({ action: 'user_banned', actor_id: null, ...carol }, 'server')).toBe(
    'The command line banned Carol from the server',
  )
})

test.each([
  [{ action: 'admin_added', actor_id: 3, ...carol }, 'Carol became an admin of the server'],
  [{ action: 'admin_added', ...carol }, 'Bob made Carol an admin of the server'],
  [{ action: 'admin_removed', actor_id: 3, ...carol }, 'Carol gave up the admin right'],
  [{ action: 'user_deleted', actor_id: 3, ...carol, detail: 'carol' }, 'carol deleted their own account'],
  [{ action: 'user_deleted', ...carol, detail: 'carol' }, 'Bob deleted the account of carol'],
  [{ action: 'chat_deleted', detail: 'Lobby (2) (chat 7)' }, 'Bob deleted the chat “Lobby (2)”'],
])('on the server: %o', (entry, words) => expect(sentenceOf(entry, 'server')).toBe(words))
