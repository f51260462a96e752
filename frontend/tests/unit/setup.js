/** Test files share a worker's browser. Each file begins with modules, stores and timers of its own. */
import { vi } from 'vitest'

vi.resetModules()
localStorage.clear()
