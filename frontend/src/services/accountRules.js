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
