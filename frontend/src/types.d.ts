/** The objects and events of the wire contract, docs/protocol.md. Times are ISO 8601 in UTC. */

export type Status = 'online' | 'busy' | 'away' | 'offline'
export type Role = 'owner' | 'admin' | 'member'
export type ChatType = 'group' | 'private' | 'channel'
/** What others see: `auto` is what the user's connections say. */
export type Presence = 'auto' | 'away' | 'busy' | 'offline'
/** Which new messages of a chat notify the user. */
export type Notifications = 'all' | 'mentions' | 'none'

export interface User {
  id: number
  username: string
  display_name: string
  status: Status
  last_seen_at: string | null
  created_at: string
  is_bot: boolean
  /** Only on bots of users: whose bot it is. */
  owner_id?: number
  /** False for banned and for deleted users. */
  active: boolean
  deleted: boolean
  /** The path of their picture; null: none. An older server does not send it. */
  avatar_url?: string | null
  /** Only on the own user, as are the two after it. */
  email?: string | null
  is_admin?: boolean
  presence?: Presence
}

/** What a server says of itself to anybody. */
export interface ServerInfo {
  registration: 'open' | 'invite' | 'closed'
  /** Whether the server still has no admin. */
  setup_needed: boolean
  /** How large a file may be; 0 or missing: it takes no files. */
  max_upload_bytes?: number
  /** How much all files of a user may take; 0 or missing: any amount. */
  upload_quota_bytes?: number
}

/** An invite as its link shows it to anybody. */
export interface InvitePreview {
  code: string
  /** null: an invite to the server only. */
  chat: Pick<SharedChat, 'name' | 'chat_type' | 'member_count' | 'avatar_url'> | null
  invited_by: { display_name: string }
}

/** A login of the own user. */
export interface LoginSession {
  id: string
  created_at: string
  last_used_at: string | null
  address: string
  user_agent: string
  /** Whether it is the session that asks. */
  current: boolean
}

/** A file of a message. */
export interface Attachment {
  id: string
  name: string
  content_type: string
  size: number
  /** A path with a signature that runs out. Two copies of a message may have different ones. */
  url: string
  /** Of pictures, as they are shown. */
  width?: number | null
  height?: number | null
  thumbnail_url?: string | null
  /** Of a file that is not sent yet: its key in this browser. */
  localKey?: string
}

export interface Message {
  id: number
  chat_id: number
  /** The number of its creation, which orders messages. */
  seq: number
  /** The number of its last change: of two copies the one with the higher number is newer. */
  changed_seq: number
  content: string
  message_type: string
  sender_id: number
  created_at: string
  edited_at: string | null
  reply_to: number | null
  /** By emoji, who reacts with it, in the order in which they did. A server of the first versions sends neither. */
  reactions?: Record<string, number[]>
  pinned?: boolean
  client_id?: string
  /** The ids of the users whom it mentions. An older server sends neither. */
  mentions?: number[]
  mentions_all?: boolean
  /** In the order of the sender. An older server does not send it. */
  attachments?: Attachment[]
}

/** A chat as all its members see it, without the fields of one member. */
export interface SharedChat {
  id: number
  name: string | null
  chat_type: ChatType
  created_at: string
  created_by: number
  member_count: number
  /** The number of the last change that was published to the room. */
  seq: number
  /** Whether everybody may find and join it. An older server sends neither this nor the slow mode. */
  is_public?: boolean
  /** How long a plain member waits between two messages, in seconds; 0: not at all. */
  slow_mode_s?: number
  avatar_url?: string | null
}

/** What a member has set for themselves in a chat. An older server sends none of it. */
export interface ChatSettings {
  notifications?: Notifications
  favorite?: boolean
  /** The chat is not in the list until its next message. */
  hidden?: boolean
  /** Marked as unread by the user; reading it takes the mark away. */
  marked_unread?: boolean
  muted_until?: string | null
}

/** A chat as one member sees it. */
export interface Chat extends SharedChat, ChatSettings {
  role: Role
  /** 1000 means 1000 or more. */
  unread_count: number
  /** Those of the unread messages that mention the user or all. An older server does not count them. */
  unread_mentions?: number
  last_message: Message | null
  last_read_message_id: number | null
  /** The position of the read mark, 0 for none. An older server does not send it. */
  read_seq?: number
}

export interface Member {
  user: User
  role: Role
  joined_at: string
  last_read_message_id: number | null
  read_seq?: number
  /** The member may not write before this time. */
  muted_until?: string | null
}

/** An invite to a chat or, with the `chat_id` null, to the server. */
export interface Invite {
  code: string
  url: string
  chat_id: number | null
  created_by: number
  created_at: string
  /** null: it has no end. */
  expires_at: string | null
  /** 0: any number. */
  max_uses: number
  uses: number
}

/** Somebody who is kept out of a chat. */
export interface Ban {
  user: User
  reason: string | null
  banned_by: number | null
  at: string
}

/** An act in a chat or on the server, as admins read it. */
export interface AuditEntry {
  id: number
  at: string
  /** null: an act of the command line. */
  actor_id: number | null
  action: string
  user_id?: number | null
  message_id?: number | null
  detail?: string | null
}

/** A user as server admins see them. */
export interface Account extends User {
  banned: boolean
}

/** What the server counts. */
export interface Stats {
  users: number
  chats: number
  messages: number
  connections: number
  uploads_bytes: number
  database_bytes: number
  disk_free_bytes: number
  version: string
  started_at: string
  /** The chat that new accounts join. An older server does not name it. */
  default_chat_id?: number | null
}

/** One page of a chat's history, oldest message first. */
export interface Page {
  messages: Message[]
  has_more_before: boolean
  has_more_after: boolean
  /** Changes above this number are not in the page. */
  head_seq: number
}

/** Why a request or command failed, as the server or the connection says it. */
export interface Failure {
  code: string
  message?: string
  retryable?: boolean
  retryAfterMs?: number
  fields?: Record<string, string>
}

/** The answer to a login or a refresh. */
export interface TokenPair {
  access_token: string
  refresh_token: string
  /** In seconds. */
  expires_in: number
  user: User
}

interface ChatFrame {
  chat_id: number
}

interface ChangeFrame extends ChatFrame {
  /** The number of the change. */
  seq: number
}

interface ReactionChange {
  message_id: number
  /** Who reacts, or does no longer. */
  user_id: number
  emoji: string
}

interface PinChange {
  message_id: number
  /** Who has pinned the message, or ended the pin. */
  user_id: number
}

/** The payload of each event. `events.js` has an entry for each of them. */
export interface Events {
  connected: {
    user_id: number
    epoch?: string
    limits?: { max_frame_bytes: number; max_content_chars: number; messages_per_s: number }
  }
  pong: object
  error: Failure
  token_expiring: { expires_in: number }
  new_message: ChangeFrame & { message: Message }
  message_updated: ChangeFrame & { message_id: number; content: string; message: Message }
  message_deleted: ChangeFrame & { message_id: number }
  reaction_added: ChangeFrame & ReactionChange
  reaction_removed: ChangeFrame & ReactionChange
  message_pinned: ChangeFrame & PinChange
  message_unpinned: ChangeFrame & PinChange
  messages_read: ChatFrame & { user_id: number; up_to: number; read_seq?: number }
  typing: ChatFrame & { user_id: number; is_typing: boolean }
  user_status: { user_id: number; status: Status }
  user_offline: { user_id: number }
  user_changed: { user_id: number; user: User }
  chat_added: ChatFrame & { head_seq: number }
  chat_changed: ChatFrame & { chat: SharedChat }
  chat_settings: ChatFrame & ChatSettings
  chat_removed: ChatFrame & { reason?: string; name?: string | null }
  chat_updated: ChatFrame &
    Pick<Chat, 'last_message' | 'unread_count' | 'unread_mentions' | 'read_seq'> & { head_seq: number }
}

export type EventName = keyof Events
export type EventFrame<Name extends EventName> = Events[Name] & { type: Name; timestamp: string }
/** The events that change a message: those with the number of a change. */
export type MessageEventName = {
  [Name in EventName]: Events[Name] extends ChangeFrame ? Name : never
}[EventName]
export type MessageFrame = { [Name in MessageEventName]: EventFrame<Name> }[MessageEventName]
