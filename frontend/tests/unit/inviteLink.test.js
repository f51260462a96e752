import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import InviteLink from '@/components/InviteLink.vue'
import { i18n, setLanguage } from '@/i18n'
import '@/i18n/later'

await setLanguage('en')

test.each([
  ['http://localhost:8000/invite/CODE', true],
  ['http://127.0.0.1:8000/invite/CODE', true],
  ['http://[::1]:8000/invite/CODE', true],
  ['http://192.168.1.5:8000/invite/CODE', false],
  ['https://localhost.example.org/invite/CODE', false],
])('%s opens on one machine only: %s', (url, isOnlyHere) => {
  const invite = { code: 'CODE', url, uses: 0, max_uses: 1, expires_at: null, created_by: 1 }
  const link = mount(InviteLink, { props: { invite }, global: { plugins: [i18n, createPinia()] } })
  expect(link.text().includes('Opens on this machine only')).toBe(isOnlyHere)
})
