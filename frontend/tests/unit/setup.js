/** Test files share a worker's browser. Each file begins with modules, stores and timers of its own. */
import { vi } from 'vitest'

vi.resetModules()
localStorage.clear()
// A request that outlives its test goes nowhere.
globalThis.fetch = () => Promise.reject(new TypeError('no network in unit tests'))
