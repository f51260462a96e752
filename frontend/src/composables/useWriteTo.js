/** Translation keys for why no private chat with somebody can begin, by the server's code. */
export const WRITE_WORDS = { forbidden: 'people.refuses', invalid: 'people.ended' }
