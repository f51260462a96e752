/** Names for browsers and systems, from what they say of themselves. The first that fits counts: many name others as well. */

/** @type {[RegExp, string][]} */
const PROGRAMS = [
  [/\bEdg(?:A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOpera\b/, 'Opera'],
  [/\bYaBrowser\//, 'Yandex Browser'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|Chromium|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/[\d.]+.* Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
  [/^Python\/|\baiohttp\b|\bpython-requests\b|\bhttpx\b/, 'Python'],
  [/^node|^undici/, 'Node.js'],
  [/^okhttp\/|^Java\//, 'Java'],
]

/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
]

/** The longest text of an unknown program that is shown. */
const SHOWN_CHARS = 60

/**
 * The program and the system of a login: `Firefox, Linux`. An unknown program is shown as it names itself; empty if it does
 * not.
 *
 * @param {string} userAgent
 */
export function deviceOf(userAgent) {
  const nameIn = (/** @type {[RegExp, string][]} */ table) =>
    table.find(([pattern]) => pattern.test(userAgent))?.[1]
  const program = nameIn(PROGRAMS)
  const system = nameIn(SYSTEMS)
  if (!program && !system) return userAgent.trim().slice(0, SHOWN_CHARS)
  return [program, system].filter(Boolean).join(', ')
}
