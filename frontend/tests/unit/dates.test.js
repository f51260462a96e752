import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { setLanguage } from '@/i18n'
import {
  countOf,
  dayAndTimeOf,
  dayOf,
  durationOf,
  fullOf,
  localeOf,
  momentOf,
  now,
  relative,
  shortOf,
  sizeOf,
  timeOf,
} from '@/i18n/dates'

/** A local time, so that results do not depend on the time zone of the test. */
const local = (...parts) => new Date(...parts).toISOString()

beforeEach(() => {
  vi.stubGlobal('navigator', { languages: ['en-GB'] })
  now.value = new Date(2025, 10, 23, 15, 0).getTime()
})

afterEach(() => {
  setLanguage('en')
  vi.unstubAllGlobals()
})

describe.each([
  [
    'en',
    {
      time: '09:05',
      days: ['Today', 'Yesterday', '21 November', '31 December 2024'],
      moments: ['23:59', '24 November, 00:10', '1 January 2026, 12:00'],
      durations: ['30 seconds', '90 seconds', '1 minute', '1 hour', '7 days'],
      sizes: ['0 bytes', '812 MB', '1.5 GB', '2 TB'],
      count: '1,234,567',
      shorts: ['09:05', 'Sat', '10 Nov', '01/01/2025'],
      ago: ['this minute', '5 minutes ago', '3 hours ago', 'yesterday', '4 days ago', '1 September'],
    },
  ],
  [
    'ru',
    {
      time: '09:05',
      days: ['Сегодня', 'Вчера', '21 ноября', '31 декабря 2024 г.'],
      moments: ['23:59', '24 ноября, 00:10', '1 января 2026 г., 12:00'],
      durations: ['30 секунд', '90 секунд', '1 минута', '1 час', '7 дней'],
      sizes: ['0 байт', '812 МБ', '1,5 ГБ', '2 ТБ'],
      count: '1 234 567',
      shorts: ['09:05', 'сб', '10 нояб.', '01.01.2025'],
      ago: ['в эту минуту', '5 минут назад', '3 часа назад', 'вчера', '4 дня назад', '1 сентября'],
    },
  ],
])('in %s', (language, expected) => {
  beforeEach(() => setLanguage(language))

  test('the time of a message', () => expect(timeOf(local(2025, 10, 23, 9, 5))).toBe(expected.time))

  test('the day of messages', () => {
    const days = [
      [2025, 10, 23, 0, 0],
      [2025, 10, 22, 23, 59],
      [2025, 10, 21],
      [2024, 11, 31],
    ]
    expect(days.map((parts) => dayOf(local(...parts)))).toEqual(expected.days)
  })

  test('the end of something', () => {
    const moments = [
      [2025, 10, 23, 23, 59],
      [2025, 10, 24, 0, 10],
      [2026, 0, 1, 12, 0],
    ]
    expect(moments.map((parts) => momentOf(local(...parts)))).toEqual(expected.moments)
  })

  test('a duration, a size, a number', () => {
    const plain = (text) => text.replace(/\s/g, ' ')
    expect([30, 90, 60, 3600, 7 * 86_400].map((s) => plain(durationOf(s)))).toEqual(expected.durations)
    const sizes = [0, 812 * 2 ** 20, 1.5 * 2 ** 30, 2 ** 41]
    expect(sizes.map((bytes) => plain(sizeOf(bytes)))).toEqual(expected.sizes)
    expect(plain(countOf(1_234_567))).toBe(expected.count)
  })

  test('the time in a list of chats', () => {
    const moments = [
      [2025, 10, 23, 9, 5],
      [2025, 10, 22],
      [2025, 10, 10],
      [2025, 0, 1],
    ]
    expect(moments.map((parts) => shortOf(local(...parts)))).toEqual(expected.shorts)
  })

  test('a relative time', () => {
    const moments = [
      [2025, 10, 23, 14, 59, 30],
      [2025, 10, 23, 14, 55],
      [2025, 10, 23, 12, 0],
      [2025, 10, 22, 12, 0],
      [2025, 10, 19, 12, 0],
      [2025, 8, 1],
    ]
    expect(moments.map((parts) => relative(local(...parts)))).toEqual(expected.ago)
  })

  test('the full time', () => expect(fullOf(local(2025, 10, 23, 9, 5))).toContain('2025'))
})

test('midnight changes the day', () => {
  const message = local(2025, 10, 23, 23, 50)
  expect(dayOf(message)).toBe('Today')
  now.value = new Date(2025, 10, 24, 0, 1).getTime()
  expect(dayOf(message)).toBe('Yesterday')
})

test('a time in the future shows as a time of today', () => {
  expect(relative(local(2025, 10, 23, 15, 3))).toBe('this minute')
  expect(shortOf(local(2025, 10, 24, 9, 0))).toBe('09:00')
})

test.each([
  ['en', 'en-US', '3:38 PM', '11/23/2025'],
  ['en', 'en-GB', '15:38', '23/11/2025'],
  ['en', 'de-DE', '15:38', '23/11/2025'],
  ['en', 'de', '15:38', '23/11/2025'],
  ['en', 'fr-FR', '15:38', '23/11/2025'],
  ['en', 'ru-RU', '15:38', '23/11/2025'],
  ['en', 'sv', '15:38', '2025-11-23'],
  ['ru', 'ru-RU', '15:38', '23.11.2025'],
  ['ru', 'en-US', '15:38', '23.11.2025'],
])('%s words in a browser of %s', (language, home, time, day) => {
  vi.stubGlobal('navigator', { languages: [home, 'en-US', 'en'] })
  setLanguage(language)
  const moment = local(2025, 10, 23, 15, 38)
  expect(timeOf(moment).replace('\u202f', ' ')).toBe(time)
  const figures = new Intl.DateTimeFormat(localeOf(language, home), {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  expect(figures.format(new Date(moment))).toBe(day)
  expect(dayAndTimeOf(moment)).toContain('38')
})

test('a browser without languages', () => {
  vi.stubGlobal('navigator', { languages: [] })
  expect(timeOf(local(2025, 10, 23, 15, 38))).toMatch(/38/)
})
