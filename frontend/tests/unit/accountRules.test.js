import { expect, test } from 'vitest'
import { passwordFault } from '@/services/accountRules'

test.each([
  ['', { kind: 'short', chars: 8 }],
  ['seven77', { kind: 'short', chars: 1 }],
  ['😀😀😀😀😀😀😀', { kind: 'short', chars: 1 }],
  ['eight888', null],
  ['x'.repeat(72), null],
  ['ж'.repeat(36), null],
  ['x'.repeat(75), { kind: 'long', chars: 3 }],
  ['ж'.repeat(40), { kind: 'long', chars: 4 }],
  ['x'.repeat(71) + '😀', { kind: 'long', chars: 1 }],
])('a password of 8 characters to 72 bytes is good: %s', (password, fault) => {
  expect(passwordFault(password)).toEqual(fault)
})
