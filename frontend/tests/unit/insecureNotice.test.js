import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import AccountForm from '@/components/AccountForm.vue'
import { i18n, setLanguage } from '@/i18n'

const form = { submit: () => {}, errors: {}, failure: { value: '' }, isBusy: { value: false } }

function textOf(isSecureContext) {
  vi.stubGlobal('isSecureContext', isSecureContext)
  const props = { title: 'Log in', action: 'Log in', form, username: '', password: '' }
  const page = mount(AccountForm, { props, global: { plugins: [i18n], stubs: { PasswordField: true } } })
  return page.find('details').exists() ? page.find('details').text() : ''
}

beforeEach(() => setLanguage('en'))
afterEach(() => setLanguage('en'))

test('a page over plain HTTP from another machine says what anybody can read, in both languages', async () => {
  expect(textOf(false)).toMatch(/^This connection is not encrypted.*can read your password/)
  await setLanguage('ru')
  expect(textOf(false)).toMatch(/^Соединение не зашифровано.*прочитать ваш пароль/)
})

test('over HTTPS, and on the own machine, nothing is said', () => {
  expect(textOf(true)).toBe('')
})
