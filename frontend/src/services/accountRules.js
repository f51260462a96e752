/** What the server asks of an account, as far as it can be told without it. */

const USERNAME = /^[A-Za-z0-9_.-]{3,32}$/
export const NAME_CHARS_MAX = 100
/** The server's default: its operator can ask for more or for fewer. */
export const PASSWORD_CHARS_MIN = 8
/** More of a password is of no use to the server's way of keeping it, so it takes no more. In UTF-8. */
const PASSWORD_BYTES_MAX = 72

/** @param {string} username */
export const isUsername = (username) => USERNAME.test(username)

/** Characters as the server counts them. @param {string} text */
export const charsOf = (text) => [...text].length

/**
 * What is wrong with a new password.
 *
 * @param {string} password
 * @returns {'short' | 'long' | null}
 */
export function passwordFault(password) {
  if (charsOf(password) < PASSWORD_CHARS_MIN) return 'short'
  return new TextEncoder().encode(password).length > PASSWORD_BYTES_MAX ? 'long' : null
}
