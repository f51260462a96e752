import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openApp, settled } from './app'
import { alice, bob, fakeRest } from './fakeRest'

let MessageText, i18n, useUsers, shown

beforeEach(async () => {
  await openApp()
  fakeRest({ 'GET /users/me': alice, 'GET /users/3': { id: 3, username: 'Cat.', display_name: 'Cat' } })
  ;({ i18n } = await import('@/i18n'))
  ;({ useUsers } = await import('@/stores/users'))
  ;({ default: MessageText } = await import('@/components/chat/MessageText.vue'))
  useUsers().put(bob)
})

afterEach(() => {
  shown?.unmount()
  vi.unstubAllGlobals()
})

function show(content, more = {}) {
  const message = { id: 5, sender_id: 2, content, mentions: [], mentions_all: false, ...more }
  shown = mount(MessageText, { props: { message }, global: { plugins: [i18n] } })
  return shown
}

const mentions = () => shown.findAll('.mention').map((one) => [one.text(), one.classes('own')])

describe('mentions', () => {
  test('are those that the server names', async () => {
    show('@bob, @ALICE. @nobody `@bob` @bob', { mentions: [2, 1] })
    await settled()
    expect(mentions()).toEqual([
      ['@bob', false],
      ['@ALICE', true],
      ['@bob', false],
    ])
    expect(shown.get('.text').text()).toBe('@bob, @ALICE. @nobody @bob @bob')
    expect(shown.get('.mention').attributes('title')).toBe('Bob')
  })

  test('come as soon as a user is known, with the dots of their username', async () => {
    show('@cat. and @cat', { mentions: [3] })
    expect(mentions()).toEqual([])
    await settled()
    expect(mentions()).toEqual([['@cat.', false]])
  })

  test('of all are own ones, only if the server says so', () => {
    show('@All, look', { mentions_all: true })
    expect(mentions()).toEqual([['@All', true]])
    shown.unmount()
    show('@all, look')
    expect(mentions()).toEqual([])
  })

  test('are none with an older server', () => {
    show('@alice', { mentions: undefined, mentions_all: undefined })
    expect(mentions()).toEqual([])
  })
})

test('HTML stays text', () => {
  const text = '<img src=x onerror="alert(1)"> **<script>alert(1)</script>** &lt;'
  show(text)
  expect([shown.find('img').exists(), shown.find('script').exists()]).toEqual([false, false])
  expect(shown.get('.text').text()).toBe(text.replaceAll('**', ''))
})

test.each([
  ['🎉', true, true],
  ['🎉'.repeat(4), true, false],
  ['🎉'.repeat(13), false, false],
  ['a 🎉', false, false],
])('emoji alone are larger: %s', (text, isLarger, isLarge) => {
  const classes = show(text).get('.text').classes()
  expect([classes.includes('larger'), classes.includes('large')]).toEqual([isLarger, isLarge])
})

describe('a long message', () => {
  const long = `${'line\n'.repeat(100)}the end`

  test('is folded, and stays unfolded when it is shown again', async () => {
    show(long, { id: 6 })
    expect(shown.text()).not.toContain('the end')
    await shown.get('button').trigger('click')
    expect([shown.text().includes('the end'), shown.get('button').text()]).toEqual([true, 'Show less'])
    shown.unmount()
    show(long, { id: 6 })
    expect(shown.text()).toContain('the end')
    shown.unmount()
    show(long, { id: 7 })
    expect(shown.text()).not.toContain('the end')
  })

  test('is not folded before it is sent', () => {
    show(long, { id: undefined })
    expect([shown.text().includes('the end'), shown.find('button').exists()]).toEqual([true, false])
  })
})
