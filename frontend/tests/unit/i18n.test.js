import { afterEach, describe, expect, test, vi } from 'vitest'
import { i18n, languageOf, setLanguage } from '@/i18n'
import accountEn from '@/i18n/account/en'
import accountRu from '@/i18n/account/ru'
import en from '@/i18n/en'
import filesEn from '@/i18n/files/en'
import filesRu from '@/i18n/files/ru'
import { fieldTextOf, textOf } from '@/i18n/errors'
import laterEn from '@/i18n/later/en'
import laterRu from '@/i18n/later/ru'
import ru from '@/i18n/ru'
import searchEn from '@/i18n/search/en'
import searchRu from '@/i18n/search/ru'

const { t } = i18n.global
await setLanguage('ru')
await setLanguage('en')

afterEach(() => {
  setLanguage('en')
  vi.unstubAllGlobals()
})

/** Every text by its key. */
function texts(messages, prefix = '') {
  return Object.entries(messages).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value]] : texts(value, `${prefix}${key}.`),
  )
}

const names = (text) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort()

describe('both languages', () => {
  const russian = new Map([ru, accountRu, filesRu, laterRu, searchRu].flatMap((messages) => texts(messages)))
  const english = [en, accountEn, filesEn, laterEn, searchEn].flatMap((messages) => texts(messages))

  test('have the same texts', () => {
    expect([...russian.keys()].sort()).toEqual(english.map(([key]) => key).sort())
  })

  test.each(english)('have %s with the same values and all plurals', (key, text) => {
    const other = russian.get(key) ?? ''
    expect(other.trim()).not.toBe('')
    expect(names(other)).toEqual(names(text))
    const forms = [text.split(' | ').length, other.split(' | ').length].join()
    expect(['1,1', '1,3', '2,3']).toContain(forms)
  })

  test('have no text twice: what is loaded later replaces none', () => {
    expect(new Set(english.map(([key]) => key)).size).toBe(english.length)
  })
})

test.each([
  ['en', 0, '0 members'],
  ['en', 1, '1 member'],
  ['en', 2, '2 members'],
  ['ru', 0, '0 участников'],
  ['ru', 1, '1 участник'],
  ['ru', 2, '2 участника'],
  ['ru', 5, '5 участников'],
  ['ru', 11, '11 участников'],
  ['ru', 12, '12 участников'],
  ['ru', 21, '21 участник'],
  ['ru', 22, '22 участника'],
  ['ru', 111, '111 участников'],
  ['ru', 1.5, '1.5 участника'],
])('%s, %s: %s', (language, n, text) => {
  setLanguage(language)
  expect(t('chats.members', n)).toBe(text)
})

test('the page names its language', () => {
  setLanguage('ru')
  expect(document.documentElement.lang).toBe('ru')
})

test.each([
  ['auto', ['de', 'ru-RU', 'en'], 'ru'],
  ['auto', ['en-GB', 'ru'], 'en'],
  ['auto', ['de'], 'en'],
  ['ru', ['en'], 'ru'],
])('%s among %s is %s', (preference, languages, language) => {
  vi.stubGlobal('navigator', { languages })
  expect(languageOf(preference)).toBe(language)
})

describe('errors', () => {
  test.each([
    [{ code: 'network' }, {}, 'The server cannot be reached. Check your connection and try again.'],
    [{ code: 'rate_limited', retryAfterMs: 1200 }, {}, 'Too many attempts. Try again in 2 seconds.'],
    [{ code: 'rate_limited', retryAfterMs: 200 }, {}, 'Too many attempts. Try again in 1 second.'],
    [{ code: 'forbidden' }, { forbidden: 'errors.wrongPassword' }, 'This is not your current password.'],
    [{ code: 'brand_new' }, {}, 'Something went wrong (brand_new).'],
  ])('%o', (error, words, text) => expect(textOf(error, words)).toBe(text))

  test.each([
    [{ code: 'conflict' }, 'username', 'This username is taken'],
    [{ code: 'invalid' }, 'username', '3 to 32 letters (A–Z), digits, _ . or -'],
    [{ code: 'invalid' }, 'something', 'in the words of the server'],
  ])('%o of %s', (error, field, text) =>
    expect(fieldTextOf(error, field, 'in the words of the server')).toBe(text),
  )

  test('are translated', () => {
    setLanguage('ru')
    expect(fieldTextOf({ code: 'conflict' }, 'username', '')).toBe('Это имя занято')
  })
})
