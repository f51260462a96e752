import { expect, test, vi } from 'vitest'
import { nextTick, reactive } from 'vue'
import { setLanguage } from '@/i18n'
import '@/i18n/account'
import { useForm } from '@/composables/useForm'
import { ApiError } from '@/services/http'
import { later } from './fakeRest'

await setLanguage('en')

const refuse =
  (code, more = {}) =>
  () =>
    Promise.reject(new ApiError({ status: 400, code, ...more }))

test('is sent once at a time', async () => {
  const answer = later()
  const send = vi.fn(() => answer.promise)
  const form = useForm(send)
  const sent = Promise.all([form.submit(), form.submit()])
  expect(form.isBusy.value).toBe(true)
  answer.resolve()
  await sent
  expect(send).toHaveBeenCalledOnce()
  expect(form.isBusy.value).toBe(false)
})

test('shows errors at their fields', async () => {
  const fields = { username: 'is taken', email: 'is taken' }
  const form = useForm(refuse('conflict', { fields }), { fields: ['username'] })
  await form.submit()
  expect({ ...form.errors }).toEqual({ username: 'This username is taken' })
  expect(form.failure.value).toBe('')
})

test('shows a failure of the whole form, in its own words', async () => {
  const form = useForm(refuse('unauthenticated'), { words: { unauthenticated: 'errors.wrongCredentials' } })
  await form.submit()
  expect(form.failure.value).toBe('Wrong username or password.')
})

test('shows a failure for an error of another field', async () => {
  const form = useForm(refuse('invalid', { fields: { hidden: 'no' } }), { fields: ['username'] })
  await form.submit()
  expect(form.failure.value).toBe('Something is not right.')
})

test('says what is wrong with a field that it does not show, in words of its own', async () => {
  const form = useForm(refuse('invalid', { fields: { invite: 'dead' } }), {
    words: { 'fields.invite': 'invite.dead' },
  })
  await form.submit()
  expect(form.failure.value).toContain('Ask for a new link')
})

test('lets the error of a field go when the field changes', async () => {
  const values = reactive({ username: '', email: '' })
  const form = useForm(refuse('conflict', { fields: { username: 'is taken', email: 'is taken' } }), {
    fields: Object.keys(values),
    values,
  })
  await form.submit()
  values.username = 'ann'
  await nextTick()
  expect({ ...form.errors }).toEqual({ email: 'This address is taken' })
})

test('clears errors when it is sent again', async () => {
  const send = vi.fn(refuse('invalid', { fields: { name: '' } }))
  const form = useForm(send, { fields: ['name'] })
  await form.submit()
  send.mockResolvedValue()
  await form.submit()
  expect([{ ...form.errors }, form.failure.value]).toEqual([{}, ''])
})

test('throws errors that are no refusals', async () => {
  const form = useForm(() => Promise.reject(new TypeError('oops')))
  await expect(form.submit()).rejects.toThrow('oops')
  expect(form.isBusy.value).toBe(false)
})
