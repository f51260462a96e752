/** What a chat client needs besides its pages; README.md beside this folder says how the parts go together. */

export { default as websocket, createWebSocket, RequestError } from '@/services/websocket'
export { createTimeline } from '@/timeline/timeline'
export { createOutbox } from '@/timeline/outbox'
export { EVENTS } from '@/events'
export { ApiError } from '@/services/http'
export { createApi } from './rest'
