/** A hook of a chat. `url` and `secret` are shown once; what follows them is of outgoing ones. */
export interface Hook {
  id: number
  chat_id: number
  name: string
  kind: 'incoming' | 'outgoing'
  user_id: number
  created_by: number
  created_at: string
  state: 'active' | 'failing' | 'paused' | 'stopped' | 'without_maker'
  paused: boolean
  url?: string
  secret?: string
  target_url?: string | null
  events?: string[]
  include_bots?: boolean
  last_error?: string | null
  failing_since?: string | null
  next_try_at?: string | null
}
