/** The server's rules for accounts, as far as the client can check them. */

const USERNAME = /^[A-Za-z0-9_.-]{3,32}$/
export const NAME_CHARS_MAX = 100
/** The server's default. Its operator can set another number. */
export const PASSWORD_CHARS_MIN = 8
/** The most that bcrypt uses of a password in UTF-8. The server refuses longer ones. */
const PASSWORD_BYTES_MAX = 72

/** @param {string} username */
export const isUsername = (username) => USERNAME.test(username)

/** Characters as the server counts them. @param {string} text */
export const charsOf = (text) => [...text].length

/** @param {string} text */
const bytesOf = (text) => new TextEncoder().encode(text).length

/**
 * What is wrong with a new password; null: nothing.
 *
 * @param {string} password
 * @returns {{ kind: 'short' | 'long', chars: number } | null} `chars`: how many characters it lacks, or has too many
 */
export function passwordFault(password) {
  const missing = PASSWORD_CHARS_MIN - charsOf(password)
  if (missing > 0) return { kind: 'short', chars: missing }
  const chars = [...password]
  let excess = bytesOf(password) - PASSWORD_BYTES_MAX
  let count = 0
  while (excess > 0) excess -= bytesOf(/** @type {string} */ (chars[chars.length - ++count]))
  return count ? { kind: 'long', chars: count } : null
}
