import { ref } from 'vue'

/** The language that all examples of code are shown in, where they have it. */
export const chosenLabel = ref('curl')
