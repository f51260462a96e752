import { beforeEach, expect, test } from 'vitest'
import { shallowReactive } from 'vue'
import { createSlice } from '@/timeline/slice'

const messages = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ seq: (from + index) * 2 }))
let state, slice

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
  slice = createSlice({ state, loadBefore, loadAfter })
})

const shown = () => [slice.messages.value[0].seq / 2, slice.messages.value.at(-1).seq / 2]

test('shows the end, and grows with it', () => {
  slice.showEnd()
  expect(shown()).toEqual([1021, 1100])
  state.messages = [...state.messages, ...messages(1101, 1102)]
  expect(shown()).toEqual([1021, 1102])
  expect(slice.isAtEnd.value).toBe(true)
})

test('slides up, letting go of what is below, down to the beginning of the chat', async () => {
  slice.showEnd()
  await slice.earlier()
  expect(shown()).toEqual([991, 1100])
  for (let steps = 0; steps < 10; steps++) await slice.earlier()
  expect(shown()).toEqual([691, 890])
  expect(slice.isAtEnd.value).toBe(false)
  for (let steps = 0; steps < 40; steps++) await slice.earlier()
  expect(shown()).toEqual([1, 200])
  expect(slice.isAtStart.value).toBe(true)
})

test('slides down to the end', async () => {
  state.hasAfter = true
  slice.showAround(1000)
  expect(shown()).toEqual([460, 539])
  for (let steps = 0; steps < 60; steps++) await slice.later()
  expect(shown()).toEqual([951, 1150])
  expect(slice.isAtEnd.value).toBe(true)
})

test('stays few however much comes', () => {
  slice.showEnd()
  state.messages = messages(101, 2000)
  slice.trimEnd()
  expect(shown()).toEqual([1021, 1220])
  slice.showEnd()
  state.messages = messages(101, 3000)
  slice.trimStart()
  expect(shown()).toEqual([2801, 3000])
})

test('an empty chat is an empty slice', () => {
  state.messages = []
  state.hasBefore = false
  slice.showEnd()
  expect(slice.messages.value).toEqual([])
  state.messages = messages(1, 1)
  expect(shown()).toEqual([1, 1])
})
