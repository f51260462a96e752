import { useMediaQuery } from '@vueuse/core'

/** Whether the list of chats is beside the chat. */
export const useTwoPanes = () => useMediaQuery('(width >= 640px)')

/** Whether there is also space for a panel about the chat. */
export const useThreePanes = () => useMediaQuery('(width >= 1100px)')
