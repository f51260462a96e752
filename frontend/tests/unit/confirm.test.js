import { mount } from '@vue/test-utils'
import { afterEach, expect, test, vi } from 'vitest'
import AppDialogs from '@/components/AppDialogs.vue'
import { useConfirm } from '@/composables/useConfirm'
import { useNotices } from '@/composables/useNotices'
import { i18n } from '@/i18n'
import { settled } from './app'

vi.mock('@/components/ConfirmDialog.vue', () => {
  throw new Error('the network is gone')
})

const { question, isOpen, confirm, accept } = useConfirm()
let wrapper

afterEach(() => wrapper?.unmount())

test('a question resolves to whether it was confirmed, and another one cancels it', async () => {
  const first = confirm({ title: 'Delete?', action: 'Delete' })
  const second = confirm({ title: 'Leave?', action: 'Leave' })
  expect([isOpen.value, question.value.title]).toEqual([true, 'Leave?'])
  accept()
  expect([await first, await second, isOpen.value]).toEqual([false, true, false])
})

test('a question whose dialog cannot be loaded is cancelled, with a notice', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  wrapper = mount(AppDialogs, { global: { plugins: [i18n] } })
  const answer = confirm({ title: 'Delete?', action: 'Delete' })
  await settled()
  expect([await answer, isOpen.value]).toEqual([false, false])
  expect(useNotices().notices.value.at(-1).text).toBe(i18n.global.t('errors.not_loaded'))
})
