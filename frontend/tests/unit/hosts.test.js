import { expect, test } from 'vitest'
import { shownHost } from '@/text/hosts'
import { partsOf } from '@/text/links'

/** The host that is shown. */
const shown = (host) => shownHost(host, new URL(`https://${host}`).hostname)

test.each([
  'example.org',
  'Example.ORG',
  'localhost',
  'xn--80ak6aa92e.com',
  '[::1]',
  'a_b.example.org',
  'пример.рф',
  'президент.рф',
  'müller.de',
  'straße.de',
  'București.ro'.toLowerCase(),
  'phở.vn',
  'ışık.com.tr',
  'παράδειγμα.gr',
  'օրինակ.հայ',
  'დომენი.გე',
  'דוגמה.co.il',
  'مثال.السعودية',
  '例え.jp',
  'ドメイン名例.jp',
  '도메인.한국',
  'उदाहरण.भारत',
  'ไทยดอทคอม.ไทย',
])('%s is shown as it is', (host) => expect(shown(host)).toBe(host))

test.each([
  ['a mix of Cyrillic and Latin', 'pаypal.com'],
  ['another', 'gооgle.com'],
  ['a mix of Greek and Latin', 'gοοgle.com'],
  ['a mix of Armenian and Latin', 'gօօgle.com'],
  ['a mix of Cyrillic and Greek', 'пαпα.com'],
  ['a mix of Latin and Han', 'my一bank.com'],
  ['a mix in a subdomain', 'раypal.example.org'],
  ['Cyrillic that looks Latin', 'аррӏе.com'],
  ['the same in capitals', 'АРРӀЕ.com'],
  ['the same with a digit', 'ехрее1.com'],
  ['Greek that looks Latin', 'νικον.com'],
  ['Armenian that looks Latin', 'հօս.com'],
  ['Georgian that looks Latin', 'იოყ.com'],
  ['Latin of phonetics', 'ɡoogle.com'],
  ['an alpha of phonetics', 'pɑypal.com'],
  ['a dotless i', 'googıe.com'],
  ['a slash that is none', 'my-bank.com∕login.evil.example'],
  ['a middle dot', 'my·bank.com'],
  ['letters of Cherokee', 'ᏢᎪᎩᏢᎪᏞ.com'],
  ['a mark of its own', 'google̸.com'],
  ['emoji', 'i❤.ws'],
])('%s is shown as it is asked for', (_what, host) => {
  let asked
  try {
    asked = new URL(`https://${host}`).hostname
  } catch {
    expect(partsOf(`https://${host}/`).some(({ href }) => href)).toBe(false)
    return
  }
  expect(asked).toMatch(/^[\x21-\x7e]+$/)
  expect(shown(host)).toBe(asked)
  expect(partsOf(`https://${host}/a`)[0].text).toBe(`https://${asked}/a`)
})

test('capital letters of another alphabet are shown in lower case', () =>
  expect(shown('ПРИМЕР.РФ')).toBe('пример.рф'))

test.each([
  ['https://a.org:8080/b?c#d', ['https://', 'a.org', ':8080/b?c#d']],
  ['HTTP://[::1]:80', ['HTTP://', '[::1]', ':80']],
  ['https://a.org?b', ['https://', 'a.org', '?b']],
])('%s has its host apart', (address, pieces) => expect(partsOf(address)[0].pieces).toEqual(pieces))

test.each([
  ['a user that reads as a host', 'https://my-bank.com@evil.example/', []],
  ['a user and a password', 'https://my-bank.com:443@evil.example/', []],
  ['a backslash', 'https://evil.example\\@my-bank.com', ['https://evil.example']],
  ...[
    '\u202e',
    '\u202a',
    '\u2066',
    '\u2069',
    '\u200e',
    '\u200f',
    '\u061c',
    '\u00ad',
    '\u200b',
    '\u2060',
    '\ufeff',
    '\u0007',
    '\u0085',
  ].map((control) => [
    `U+${control.codePointAt(0).toString(16)}`,
    `https://evil.example/moc.${control}knab-ym//:sptth`,
    ['https://evil.example/moc'],
  ]),
  ['emoji of several', 'https://example.org/👩‍👩‍👧', ['https://example.org/👩‍👩‍👧']],
])('%s in an address', (_what, text, links) => {
  const found = partsOf(text).filter(({ href }) => href)
  expect(found.map(({ href }) => href)).toEqual(links)
})
