/** The table of events against docs/protocol.md and against what the source subscribes to. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EVENTS, MESSAGE_EVENTS } from '@/events'

const sources = Object.values(
  import.meta.glob('../../src/**/*.{js,vue}', { query: '?raw', import: 'default', eager: true }),
).join('\n')
const all = (pattern) => new Set([...sources.matchAll(pattern)].map(([, name]) => name))

/** The first column of the table under "## Events", without what only Socket.IO has. */
function documented() {
  const [, section] = readFileSync('../docs/protocol.md', 'utf8').split(/^## Events$/m)
  const rows = section.split(/^## /m)[0].matchAll(/^\| `(\w+)` \|(.*)$/gm)
  return [...rows].filter(([, , rest]) => !rest.includes('Socket.IO only')).map(([, name]) => name)
}

test('every event that the server sends has an entry', () => {
  expect(Object.keys(EVENTS).sort()).toEqual(documented().sort())
})

test('every entry has a handler, and every handler an entry', () => {
  const handled = all(/\b(?:onEvent|on)\(\s*'(\w+)'/g)
  const byService = all(/frame\.type === '(\w+)'/g)
  const missing = Object.keys(EVENTS).filter((name) => !handled.has(name) && !byService.has(name))
  expect(missing).toEqual(['pong'])
  expect([...handled].filter((name) => !(name in EVENTS))).toEqual([])
})

test('what has the number of a change changes messages', () => {
  const types = readFileSync('src/types.d.ts', 'utf8')
  const numbered = [...types.matchAll(/^ {2}(\w+): ChangeFrame/gm)].map(([, name]) => name)
  expect(MESSAGE_EVENTS).toEqual(numbered)
})
