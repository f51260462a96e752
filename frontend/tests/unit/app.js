import { createPinia, setActivePinia } from 'pinia'
import { vi } from 'vitest'
import { alice, logIn } from './fakeRest'
import { FakeSocket } from './fakeSocket'

/**
 * New modules of the client, with a user logged in and a connection whose other end is the test. The subscriptions of their
 * stores end with the next app.
 */
export async function openApp(user = alice) {
  vi.resetModules()
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.spyOn(console, 'log').mockReturnValue()
  localStorage.clear()
  logIn(1, user)
  FakeSocket.all = []
  setActivePinia(createPinia())
  const { default: websocket } = await import('@/services/websocket')
  await (await import('@/i18n')).setLanguage('en')
  return {
    websocket,
    async connect() {
      websocket.connect('T')
      await settled()
      FakeSocket.last.accept(user.id)
      await settled()
    },
    /** The server sends a frame. */
    async deliver(frame) {
      FakeSocket.last.deliver(frame)
      await settled()
    },
  }
}

const immediate = setImmediate // also while the timers are fake

/** Waits until everything has run that needs no answer and no time. */
export async function settled() {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve))
    for (let round = 0; round < 5; round++) await new Promise((resolve) => immediate(resolve))
  }
}
