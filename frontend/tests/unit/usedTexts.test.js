import { expect, test } from 'vitest'
import accountEn from '@/i18n/account/en'
import en from '@/i18n/en'
import filesEn from '@/i18n/files/en'
import laterEn from '@/i18n/later/en'
import searchEn from '@/i18n/search/en'

const sources = Object.values(
  import.meta.glob(['/src/**/*.{vue,js}', '!/src/i18n/**/{en,ru}.js'], {
    query: '?raw',
    import: 'default',
    eager: true,
  }),
).join('\n')

/** The key of every text. */
function keysOf(messages, prefix = '') {
  return Object.entries(messages).flatMap(([key, value]) =>
    typeof value === 'string' ? [prefix + key] : keysOf(value, `${prefix}${key}.`),
  )
}

/** Keys as the code names them: whole, or with values in them: `roles.${role}`, `${act}Title`. */
const whole = new Set([...sources.matchAll(/['"`]((?:\w+\.)+\w+)['"`]/g)].map(([, key]) => key))
const parts = [...sources.matchAll(/`([\w.]*(?:\$\{[^`]*?\}[\w.]*)+)`/g)].map(([, key]) =>
  key.split(/\$\{.*?\}(?![^$`]*\})/),
)
const patterns = parts
  .filter(([start]) => start.includes('.'))
  .map((found) => new RegExp(`^${found.map((part) => part.replaceAll('.', '\\.')).join('\\w+')}$`))
const endings = parts
  .filter(([start, ...rest]) => !start && rest.length === 1 && rest[0])
  .map(([, end]) => end)

test.each([en, accountEn, filesEn, laterEn, searchEn].flatMap((messages) => keysOf(messages)))(
  '%s is shown somewhere',
  (key) => {
    const isUsed =
      whole.has(key) ||
      patterns.some((pattern) => pattern.test(key)) ||
      endings.some((end) => key.endsWith(end) && whole.has(key.slice(0, -end.length)))
    expect(isUsed).toBe(true)
  },
)
