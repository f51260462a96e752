import { expect, test, vi } from 'vitest'
import { useForm } from '@/composables/useForm'
import { ApiError } from '@/services/http'
import { later } from './fakeRest'

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

test('shows what is wrong where it is wrong', async () => {
  const fields = { username: 'is taken', email: 'is taken' }
  const form = useForm(refuse('conflict', { fields }), { fields: ['username'] })
  await form.submit()
  expect({ ...form.errors }).toEqual({ username: 'This username is taken' })
  expect(form.failure.value).toBe('')
})

test('shows what is wrong with the whole, in the words of the form', async () => {
  const form = useForm(refuse('unauthenticated'), { words: { unauthenticated: 'errors.wrongCredentials' } })
  await form.submit()
  expect(form.failure.value).toBe('Wrong username or password.')
})

test('says something of a field that it does not show', async () => {
  const form = useForm(refuse('invalid', { fields: { hidden: 'no' } }), { fields: ['username'] })
  await form.submit()
  expect(form.failure.value).toBe('Something is not right.')
})

test('forgets what was wrong when it is sent again', async () => {
  const send = vi.fn(refuse('invalid', { fields: { name: '' } }))
  const form = useForm(send, { fields: ['name'] })
  await form.submit()
  send.mockResolvedValue()
  await form.submit()
  expect([{ ...form.errors }, form.failure.value]).toEqual([{}, ''])
})

test('does not hide a mistake of the client', async () => {
  const form = useForm(() => Promise.reject(new TypeError('oops')))
  await expect(form.submit()).rejects.toThrow('oops')
  expect(form.isBusy.value).toBe(false)
})
