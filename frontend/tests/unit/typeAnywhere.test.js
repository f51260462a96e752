import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { useTypeAnywhere, writes } from '@/composables/useTypeAnywhere'

describe('a key writes a character', () => {
  test.each([
    ['a letter', { key: 'a' }, true],
    ['a capital letter', { key: 'Ж', shiftKey: true }, true],
    ['an emoji', { key: '👋' }, true],
    ['a dead key', { key: 'Dead' }, true],
    ['the first key of an input method', { key: 'Process' }, true],
    [
      'AltGr and Q on a German keyboard',
      { key: '@', ctrlKey: true, altKey: true, modifierAltGraph: true },
      true,
    ],
    ['Ctrl and V, which pastes', { key: 'v', code: 'KeyV', ctrlKey: true }, true],
    ['Ctrl and C, which copies', { key: 'c', code: 'KeyC', ctrlKey: true }, false],
    ['Alt and a letter', { key: 'a', altKey: true }, false],
    ['the space bar, which scrolls', { key: ' ' }, false],
    ['an arrow', { key: 'ArrowUp' }, false],
    ['Enter', { key: 'Enter' }, false],
    ['Tab', { key: 'Tab' }, false],
  ])('%s', (_what, { modifierAltGraph = false, ...init }, expected) => {
    const event = new KeyboardEvent('keydown', init)
    event.getModifierState = (name) => name === 'AltGraph' && modifierAltGraph
    expect(writes(event)).toBe(expected)
  })
})

describe('typing', () => {
  let room

  beforeEach(() => {
    document.body.innerHTML =
      '<button>log</button><input /><textarea></textarea><div role="dialog" data-beside><i tabindex="0"></i></div>'
    const field = () => document.querySelector('textarea')
    room = mount({ setup: () => useTypeAnywhere(field), render: () => null })
  })

  afterEach(() => {
    room.unmount()
    document.body.innerHTML = ''
  })

  /** Types a letter in an element; returns what has the focus then. */
  function type(selector) {
    const element = document.querySelector(selector)
    element.focus()
    element.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }))
    return document.activeElement?.tagName
  }

  test('goes to the text field from a button and from the panel beside the chat', () => {
    expect([type('button'), type('i')]).toEqual(['TEXTAREA', 'TEXTAREA'])
  })

  test('stays in another field, and where a dialog or a menu is open', () => {
    expect(type('input')).toBe('INPUT')
    document.body.insertAdjacentHTML('beforeend', '<div role="menu"></div>')
    expect(type('button')).toBe('BUTTON')
  })
})
