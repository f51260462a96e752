/** Test files may share the environment of a worker. Each begins with new modules and an empty storage. */
import { vi } from 'vitest'

vi.resetModules()
localStorage.clear()
// A request that outlives its test goes nowhere.
globalThis.fetch = () => Promise.reject(new TypeError('no network in unit tests'))
