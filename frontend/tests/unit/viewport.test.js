import { beforeEach, expect, test } from 'vitest'
import { shallowReactive } from 'vue'
import { createViewport } from '@/timeline/viewport'

const messages = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ seq: (from + index) * 2 }))
let state, viewport

beforeEach(() => {
  state = shallowReactive({ messages: messages(101, 1100), hasBefore: true, hasAfter: false })
  const loadBefore = async () => {
    if (!state.hasBefore) return
    state.messages = [...messages(1, 100), ...state.messages]
    state.hasBefore = false
  }
  const loadAfter = async () => {
    if (!state.hasAfter) return
    state.messages = [...state.messages, ...messages(1101, 1150)]
    state.hasAfter = false
  }
  viewport = createViewport({ state, loadBefore, loadAfter })
})

const shown = () => [viewport.messages.value[0].seq / 2, viewport.messages.value.at(-1).seq / 2]

test('shows the end, and grows with it', () => {
  viewport.showEnd()
  expect(shown()).toEqual([1021, 1100])
  state.messages = [...state.messages, ...messages(1101, 1102)]
  expect(shown()).toEqual([1021, 1102])
  expect(viewport.isAtEnd.value).toBe(true)
})

test('moves up to the beginning of the chat, and drops messages below', async () => {
  viewport.showEnd()
  await viewport.earlier()
  expect(shown()).toEqual([1001, 1100])
  for (let steps = 0; steps < 10; steps++) await viewport.earlier()
  expect(shown()).toEqual([801, 1000])
  expect(viewport.isAtEnd.value).toBe(false)
  for (let steps = 0; steps < 60; steps++) await viewport.earlier()
  expect(shown()).toEqual([1, 200])
  expect(viewport.isAtStart.value).toBe(true)
})

test('moves down to the end', async () => {
  state.hasAfter = true
  viewport.showAround(1000)
  expect(shown()).toEqual([460, 539])
  for (let steps = 0; steps < 60; steps++) await viewport.later()
  expect(shown()).toEqual([951, 1150])
  expect(viewport.isAtEnd.value).toBe(true)
})

test('stays small whatever arrives', () => {
  viewport.showEnd()
  state.messages = messages(101, 2000)
  viewport.trimEnd()
  expect(shown()).toEqual([1021, 1220])
  viewport.showEnd()
  state.messages = messages(101, 3000)
  viewport.trimStart()
  expect(shown()).toEqual([2801, 3000])
})

test('an empty chat is an empty viewport', () => {
  state.messages = []
  state.hasBefore = false
  viewport.showEnd()
  expect(viewport.messages.value).toEqual([])
  state.messages = messages(1, 1)
  expect(shown()).toEqual([1, 1])
})
