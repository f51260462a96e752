/** Formats times in the user's language and time zone. Times are ISO 8601 strings, as on the wire. */
import { ref } from 'vue'
import { i18n } from './index'

const DAY_MS = 86_400_000

/** The present time, updated once a minute: what shows as "today" depends on it. */
export const now = ref(Date.now())
setInterval(() => (now.value = Date.now()), 60_000)

/** Cached, because they are slow to create. @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map()

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  const locale = localeOf(i18n.global.locale.value, navigator.languages[0])
  const key = locale + JSON.stringify(options)
  const found = formats.get(key) ?? new Intl.DateTimeFormat(locale, options)
  formats.set(key, found)
  return found
}

/**
 * The locale with the words of one language and the formats of the browser's own: 12 or 24 hours, day or month first.
 *
 * @param {string} language of the words
 * @param {string} [home] the browser's first language
 */
export function localeOf(language, home = language) {
  const region = new Intl.Locale(home).maximize()
  if (region.language === language) return home
  const locale = `${language}-${region.region}`
  const isKnown = new Intl.DateTimeFormat(locale).resolvedOptions().locale === locale
  const { hourCycle } = new Intl.DateTimeFormat(home, { hour: 'numeric' }).resolvedOptions()
  const hours = hourCycle === 'h23' ? '-u-hc-h23' : ''
  // If a region has no English locale, the one for the world is used.
  return (isKnown || language !== 'en' ? locale : 'en-001') + hours
}

/** 14:05 @param {string} iso */
export function timeOf(iso) {
  return format({ timeStyle: 'short' }).format(new Date(iso))
}

/** The number of midnights since. @param {string} iso */
function daysAgo(iso) {
  const midnight = (/** @type {number} */ time) => new Date(time).setHours(0, 0, 0, 0)
  return Math.round((midnight(now.value) - midnight(Date.parse(iso))) / DAY_MS)
}

/** Today, Yesterday, 12 March, 12 March 2024 @param {string} iso */
export function dayOf(iso) {
  const days = daysAgo(iso)
  if (days === 0 || days === 1) return capitalized(relativeFormat({ numeric: 'auto' }).format(-days, 'day'))
  const date = new Date(iso)
  const isThisYear = date.getFullYear() === new Date(now.value).getFullYear()
  return format({ day: 'numeric', month: 'long', ...(isThisYear ? {} : { year: 'numeric' }) }).format(date)
}

/** For a list of chats: 14:05, Mon, 12 Mar, 12/03/2024 @param {string} iso */
export function shortOf(iso) {
  const days = daysAgo(iso)
  if (days <= 0) return timeOf(iso)
  const date = new Date(iso)
  if (days < 7) return format({ weekday: 'short' }).format(date)
  if (days < 300) return format({ day: 'numeric', month: 'short' }).format(date)
  return format({ dateStyle: 'short' }).format(date)
}

/** The day and time in digits, for copied text. @param {string} iso */
export function dayAndTimeOf(iso) {
  return format({ dateStyle: 'short', timeStyle: 'short' }).format(new Date(iso))
}

/** The full day and time, for a tooltip. @param {string} iso */
export function fullOf(iso) {
  return format({ dateStyle: 'full', timeStyle: 'short' }).format(new Date(iso))
}

/** A time, with its day if it is not today: 14:05; 12 March, 14:05; 12 March 2024, 14:05 @param {string} iso */
export function momentOf(iso) {
  if (daysAgo(iso) === 0) return timeOf(iso)
  const isThisYear = new Date(iso).getFullYear() === new Date(now.value).getFullYear()
  const day = format({ day: 'numeric', month: 'long', year: isThisYear ? undefined : 'numeric' })
  return `${day.format(new Date(iso))}, ${timeOf(iso)}`
}

const UNITS = /** @type {const} */ ([
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
])

/** 30 seconds, 5 minutes, 1 hour, 7 days @param {number} seconds */
export function durationOf(seconds) {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size && seconds % size === 0) ?? ['second', 1]
  return numberFormat({ style: 'unit', unit, unitDisplay: 'long' }).format(seconds / size)
}

/** 12,345 @param {number} n */
export function countOf(n) {
  return numberFormat({}).format(n)
}

/** 1.5 GB @param {number} bytes */
export function sizeOf(bytes) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const unit = {
    style: /** @type {const} */ ('unit'),
    unit: units[power],
    unitDisplay: power ? /** @type {const} */ ('short') : /** @type {const} */ ('long'), // “0 byte” is wrong
  }
  return numberFormat({ ...unit, maximumFractionDigits: power > 1 ? 1 : 0 }).format(bytes / 1024 ** power)
}

/** @param {Intl.NumberFormatOptions} options */
function numberFormat(options) {
  return new Intl.NumberFormat(i18n.global.locale.value, options)
}

/** 5 minutes ago, yesterday @param {string} iso */
export function relative(iso) {
  const minutes = Math.max(0, (now.value - Date.parse(iso)) / 60_000)
  const ago = relativeFormat({ numeric: 'auto' })
  if (minutes < 60) return ago.format(-Math.floor(minutes), 'minute')
  if (minutes < 24 * 60) return ago.format(-Math.floor(minutes / 60), 'hour')
  if (daysAgo(iso) < 30) return ago.format(-daysAgo(iso), 'day')
  return dayOf(iso)
}

/** @param {Intl.RelativeTimeFormatOptions} options */
function relativeFormat(options) {
  return new Intl.RelativeTimeFormat(i18n.global.locale.value, options)
}

/** @param {string} text */
function capitalized(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1)
}
