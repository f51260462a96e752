import { shallowReactive } from 'vue'

/**
 * How much of each file is uploaded, from 0 to 1, by key. A file that is not there waits.
 *
 * @type {Map<string, number>}
 */
export const progress = shallowReactive(new Map())
