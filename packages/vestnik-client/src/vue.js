/** The connection for components of Vue. */

export { useChatWebSocket, useWebSocket } from '@/composables/useWebSocket'
