import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test, vi } from 'vitest'
import { bob, logIn, otherTab } from './fakeRest'

let drafts

beforeEach(() => {
  vi.resetModules()
  localStorage.clear()
})

async function open() {
  logIn()
  setActivePinia(createPinia())
  drafts = (await import('@/stores/drafts')).useDrafts()
}

const draft = (text, more = {}) => ({ text, replyTo: null, edit: null, ...more })

test('the texts of drafts are known, also those of an earlier page', async () => {
  localStorage.setItem('vestnik:draft:1:7', JSON.stringify(draft('from before')))
  localStorage.setItem('vestnik:draft:2:8', JSON.stringify(draft('of somebody else')))
  localStorage.setItem('vestnik:outbox:1:9', JSON.stringify([]))
  await open()
  expect([7, 8, 9].map(drafts.textOf)).toEqual(['from before', '', ''])
  drafts.set(9, draft('new'))
  expect(drafts.textOf(9)).toBe('new')
  drafts.set(9, draft(''))
  expect([drafts.textOf(9), localStorage.getItem('vestnik:draft:1:9')]).toEqual(['', null])
})

test('a reply or an edit without a text of its own is no draft to show', async () => {
  await open()
  drafts.set(7, draft(' \n', { replyTo: 5 }))
  drafts.set(8, draft('', { edit: { message: { id: 1, content: 'a' }, text: 'b' } }))
  expect([7, 8].map(drafts.textOf)).toEqual(['', ''])
  expect(drafts.get(7).replyTo).toBe(5)
})

test('files without a text show by their names, and can come while the chat is not open', async () => {
  await open()
  const file = (key) => ({ key, name: `${key}.png`, type: 'image/png', size: 1 })
  drafts.addFiles(7, [file('a')])
  drafts.addFiles(7, [file('b')])
  expect(drafts.get(7).files.map(({ key }) => key)).toEqual(['a', 'b'])
  expect(drafts.textOf(7)).toBe('a.png, b.png')
  drafts.set(7, { ...drafts.get(7), text: 'a caption' })
  expect(drafts.textOf(7)).toBe('a caption')
  drafts.set(7, draft(''))
  expect(localStorage.getItem('vestnik:draft:1:7')).toBeNull()
})

test('drafts of another tab are followed, and end with the session', async () => {
  await open()
  const key = 'vestnik:draft:1:7'
  const written = (value) => {
    if (value) localStorage.setItem(key, JSON.stringify(value))
    else localStorage.removeItem(key)
    window.dispatchEvent(new StorageEvent('storage', { key }))
  }
  written(draft('elsewhere'))
  expect(drafts.textOf(7)).toBe('elsewhere')
  written(null)
  expect(drafts.textOf(7)).toBe('')
  written(draft('again'))
  otherTab(() => logIn(2, bob))
  expect(drafts.textOf(7)).toBe('')
})
