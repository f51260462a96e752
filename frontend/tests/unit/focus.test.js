import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { keepFocus } from '@/services/focus'

let element

beforeAll(keepFocus)

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  document.body.innerHTML = `
    <input id="field" />
    <ul><li><button id="first">1</button></li><li><button id="second">2</button></li></ul>
    <div role="log"><article id="message" tabindex="0"></article></div>`
  element = (id) => document.getElementById(id)
  await settled() // what was there before has gone
  document.activeElement.blur()
})

async function settled() {
  await new Promise((done) => setImmediate(done))
  vi.advanceTimersByTime(60)
}

/** Removes an element, and waits until the focus has its place. */
async function remove(removed) {
  removed.blur() // as browsers do by themselves
  removed.remove()
  await settled()
}

test('the focus of a row that goes comes to the one before', async () => {
  element('first').focus()
  element('second').focus()
  await remove(element('second'))
  expect(document.activeElement).toBe(element('first'))
})

test('a place that somebody else has found for the focus stays', async () => {
  for (const id of ['first', 'second']) element(id).focus()
  element('second').remove()
  element('field').focus()
  await remove(document.createElement('p'))
  expect(document.activeElement).toBe(element('field'))
})

test('a row that moves keeps the focus', async () => {
  const { parentElement } = element('first')
  element('first').focus()
  element('first').blur()
  parentElement.parentElement.append(parentElement)
  await settled()
  expect(document.activeElement).toBe(element('first'))
})

test('over a dialog nothing below it gets the focus', async () => {
  element('first').focus()
  document.body.insertAdjacentHTML(
    'beforeend',
    '<div role="dialog" id="dialog" tabindex="-1"><button id="way">way</button><button id="row">row</button></div>',
  )
  for (const id of ['dialog', 'way', 'row']) element(id).focus()
  await remove(element('row'))
  expect(document.activeElement).toBe(element('way'))
  await remove(element('way'))
  expect(document.activeElement).not.toBe(element('first'))
  element('dialog').focus()
  await remove(element('dialog'))
  expect(document.activeElement).toBe(element('first'))
})

test('a message that leaves the page takes the focus with it', async () => {
  element('first').focus()
  element('message').focus()
  await remove(element('message'))
  expect(document.activeElement).toBe(document.body)
})

test('no field opens the keyboard of a phone', async () => {
  vi.spyOn(window, 'matchMedia').mockReturnValue({ matches: true })
  for (const id of ['first', 'field', 'second']) element(id).focus()
  await remove(element('second'))
  expect(document.activeElement).toBe(element('first'))
})
