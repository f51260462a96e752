/** Times for people, in their language and time zone. Moments are ISO 8601, as on the wire. */
import { ref } from 'vue'
import { i18n } from './index'

const DAY_MS = 86_400_000

/** Now, a minute at a time: what is shown as "today" changes with it. */
export const now = ref(Date.now())
setInterval(() => (now.value = Date.now()), 60_000)

/** @type {Map<string, Intl.DateTimeFormat>} they are slow to make */
const formats = new Map()

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  const locale = i18n.global.locale.value
  const key = locale + JSON.stringify(options)
  const found = formats.get(key) ?? new Intl.DateTimeFormat(ownKindOf(locale), options)
  formats.set(key, found)
  return found
}

/** The browser's kind of a language: 24 hours or 12, day or month first. @param {string} language */
function ownKindOf(language) {
  return navigator.languages.find((tag) => tag.startsWith(language)) ?? language
}

/** 14:05 @param {string} iso */
export function timeOf(iso) {
  return format({ timeStyle: 'short' }).format(new Date(iso))
}

/** How many midnights ago. @param {string} iso */
function daysAgo(iso) {
  const midnight = (/** @type {number} */ moment) => new Date(moment).setHours(0, 0, 0, 0)
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

/** For a list: 14:05, Mon, 12 Mar, 12/03/2024 @param {string} iso */
export function shortOf(iso) {
  const days = daysAgo(iso)
  if (days <= 0) return timeOf(iso)
  const date = new Date(iso)
  if (days < 7) return format({ weekday: 'short' }).format(date)
  if (days < 300) return format({ day: 'numeric', month: 'short' }).format(date)
  return format({ dateStyle: 'short' }).format(date)
}

/** The whole of it, for a tooltip. @param {string} iso */
export function fullOf(iso) {
  return format({ dateStyle: 'full', timeStyle: 'short' }).format(new Date(iso))
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
