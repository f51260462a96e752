"""The steps that lead to the tables of now, in SQL. See `schema` for what holds for all of them."""

from collections.abc import Sequence

from storage.sqlite.schema_bots import BOTS
from storage.sqlite.schema_hooks import HOOKS

_FIRST = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    is_bot INTEGER NOT NULL,
    banned INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    username_key TEXT NOT NULL,     -- the keys are case-folded
    display_name_key TEXT NOT NULL,
    email_key TEXT
);
CREATE UNIQUE INDEX users_by_username ON users (username_key);
CREATE UNIQUE INDEX users_by_email ON users (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX users_by_display_name ON users (display_name_key);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_at INTEGER                -- its first use, which starts the grace time
) WITHOUT ROWID;
CREATE INDEX tokens_by_session ON tokens (session_id, expires_at);

CREATE TABLE chats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT,
    chat_type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    head_seq INTEGER NOT NULL DEFAULT 0,
    member_count INTEGER NOT NULL,
    activity INTEGER NOT NULL,      -- when the newest message was created, else the chat; never goes back
    users_key TEXT                  -- of a private chat: its users
);
CREATE UNIQUE INDEX chats_by_users ON chats (users_key) WHERE users_key IS NOT NULL;

CREATE TABLE members (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    role TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    read_seq INTEGER NOT NULL,
    last_read_message_id INTEGER,
    PRIMARY KEY (chat_id, user_id)
) WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id, chat_id);
CREATE INDEX members_by_role ON members (chat_id, role, joined_at, user_id);  -- owners left, and heirs

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    changed_seq INTEGER NOT NULL,
    sender_id INTEGER NOT NULL,
    client_id TEXT,
    content TEXT NOT NULL,
    message_type TEXT NOT NULL,
    reply_to INTEGER,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0,
    pinned INTEGER NOT NULL DEFAULT 0,
    extra TEXT,                     -- JSON: reactions, attachments; NULL without any
    deleted_at INTEGER
);
-- `deleted` is in these two so that counting need not look at the rows. The first: history, newest, unread.
CREATE INDEX messages_alive ON messages (chat_id, seq, sender_id, deleted) WHERE deleted = 0;
-- For unread; gone with the next step.
CREATE INDEX messages_by_sender ON messages (chat_id, sender_id, seq, deleted) WHERE deleted = 0;
-- Recovery, with the first. Not of what is as it was created: a fourth index to write for each message was 8 of the
-- 50 µs that the store takes for one in 32 busy chats.
CREATE UNIQUE INDEX messages_by_change ON messages (chat_id, changed_seq) WHERE changed_seq > seq;
CREATE UNIQUE INDEX messages_by_client_id ON messages (sender_id, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE versions (             -- what a message said before its edits
    message_id INTEGER NOT NULL,
    content TEXT NOT NULL,
    edited_at INTEGER               -- when this was written; NULL for the first
);
CREATE INDEX versions_by_message ON versions (message_id);

CREATE TABLE removals (             -- deleted chats whose messages are still to be removed
    chat_id INTEGER PRIMARY KEY
);
"""

# `run_seq` is where a run of messages begins: from there to this message, all that are not deleted are by one sender.
# That stays true whatever is deleted later. Messages from before this step count as runs of their own, which is true
# too. The index by sender, which is no longer needed, cost as much work for each message as the one by chat.
_RUNS = """
ALTER TABLE messages ADD COLUMN run_seq INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET run_seq = seq;
DROP INDEX messages_by_sender;
DROP INDEX messages_alive;
CREATE INDEX messages_alive ON messages (chat_id, seq, sender_id, run_seq, deleted) WHERE deleted = 0;
"""

_TOKENS = """
-- counts how often a refresh token was spent again, and gives the store an id for its access tokens
ALTER TABLE tokens ADD COLUMN reuses INTEGER NOT NULL DEFAULT 0;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta (key, value) VALUES ('store_id', lower(hex(randomblob(16))));
"""

# The keys are no longer only case-folded: see `domain.text`. Of accounts whose names are now the same, one has the key
# of the name, and each other has the key of a namesake (`storage.username_keys`); so keys stay unique, and begin with
# that of the name.
_NAMES = """
-- usernames and display names compare without case and whatever their Unicode form (NFKC)
UPDATE users SET display_name_key = name_key(display_name) WHERE display_name_key <> name_key(display_name);
UPDATE OR IGNORE users SET username_key = name_key(username) WHERE username_key <> name_key(username);
UPDATE users SET username_key = namesake_key(username) WHERE username_key <> name_key(username);
"""

_EPOCH = """
-- gives the data an epoch, a random word that clients compare
INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', lower(hex(randomblob(16))));
"""

# `mutes` has the mutes of users who left; while they are members, the column of `members` counts. A chat's own entries
# of `audit` have its id, those of the server 0.
_PEOPLE = """
-- admins, presence of users, sessions by device, mutes, bans, blocks, invites, public chats, own settings, audit
ALTER TABLE users ADD COLUMN is_admin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN presence TEXT NOT NULL DEFAULT 'auto';
CREATE INDEX users_admin ON users (id) WHERE is_admin = 1;

ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN last_used_at INTEGER;

ALTER TABLE chats ADD COLUMN is_public INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN slow_mode_s INTEGER NOT NULL DEFAULT 0;
CREATE INDEX chats_public ON chats (id) WHERE is_public = 1;

ALTER TABLE members ADD COLUMN muted_until INTEGER;
ALTER TABLE members ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN opened INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN notifications TEXT NOT NULL DEFAULT 'all';
ALTER TABLE members ADD COLUMN favorite INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN hidden_seq INTEGER;
ALTER TABLE members ADD COLUMN marked_unread INTEGER NOT NULL DEFAULT 0;

CREATE TABLE mutes (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (chat_id, user_id)
) WITHOUT ROWID;

CREATE TABLE bans (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    reason TEXT,
    banned_by INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, user_id)
) WITHOUT ROWID;

CREATE TABLE blocks (
    user_id INTEGER NOT NULL,       -- who has blocked
    blocked_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
) WITHOUT ROWID;

CREATE TABLE invites (
    code TEXT PRIMARY KEY,
    chat_id INTEGER,                -- NULL: to the server
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,             -- NULL: never
    max_uses INTEGER NOT NULL,      -- 0: no limit
    uses INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX invites_by_chat ON invites (chat_id, created_at);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor_id INTEGER,
    action TEXT NOT NULL,
    user_id INTEGER,
    message_id INTEGER,
    detail TEXT
);
CREATE INDEX audit_by_chat ON audit (chat_id, id);
"""

_SLOW_MODE = """
-- when members sent their last messages in chats in slow mode
CREATE TABLE slow_sends (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, user_id)
) WITHOUT ROWID;
"""

# `pinned` of a message is the number of the change that pinned it; 0: it is not pinned. No message had another value
# before this step.
_PINS = """
-- finds the pinned messages of a chat, in the order in which they were pinned
CREATE INDEX messages_pinned ON messages (chat_id, pinned) WHERE pinned > 0;
"""

# User 0 stands for all members. A row has the number and the sender of its message. The index is for the changes of a
# message, and for the newest mentions of a chat.
_MENTIONS = """
-- who is mentioned in which messages; older messages mention nobody
CREATE TABLE mentions (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sender_id INTEGER NOT NULL,
    PRIMARY KEY (chat_id, user_id, seq)
) WITHOUT ROWID;
CREATE INDEX mentions_by_seq ON mentions (chat_id, seq, sender_id);
"""

# What is in them, and why messages are found by this and not by FTS5: see `search_segments`.
_SEARCH = """
-- the words of messages, for search; messages that are there already are indexed in the background
CREATE TABLE search_segments (
    segment INTEGER PRIMARY KEY,
    form TEXT NOT NULL,
    oldest INTEGER NOT NULL,        -- when the first and the last of its messages were created
    newest INTEGER NOT NULL
);
CREATE TABLE search_words (
    id INTEGER PRIMARY KEY,         -- 128 times the segment, and the number of the row in it
    words TEXT NOT NULL
);
"""

# A message that was deleted is a row with `deleted`, or without a row if its chat was deleted.
_REMOVALS = """
-- notes whether something was removed: earlier versions did not overwrite what they deleted
INSERT OR IGNORE INTO meta (key, value) SELECT 'removed', ''
WHERE (SELECT max(seq) FROM sqlite_sequence WHERE name = 'messages')
    > (SELECT count(*) FROM messages WHERE deleted = 0);
"""

# `uploads_bytes` of a user is the sum of the sizes of their uploads, so that the quota does not cost a row for each of
# them. `freed_files` are those to which nothing refers any more.
_FILES = """
-- uploads, avatars, and files whose bytes are to be deleted
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    width INTEGER,
    height INTEGER,
    has_thumbnail INTEGER NOT NULL,
    message_id INTEGER              -- NULL: no message has it
) WITHOUT ROWID;
CREATE INDEX uploads_by_message ON uploads (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX uploads_unattached ON uploads (created_at) WHERE message_id IS NULL;
CREATE INDEX uploads_unattached_by_user ON uploads (user_id) WHERE message_id IS NULL;
CREATE INDEX uploads_by_size ON uploads (size);

CREATE TABLE freed_files (
    file_id TEXT PRIMARY KEY
) WITHOUT ROWID;

ALTER TABLE users ADD COLUMN avatar_id TEXT;
ALTER TABLE users ADD COLUMN uploads_bytes INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX users_by_avatar ON users (avatar_id) WHERE avatar_id IS NOT NULL;
ALTER TABLE chats ADD COLUMN avatar_id TEXT;
CREATE UNIQUE INDEX chats_by_avatar ON chats (avatar_id) WHERE avatar_id IS NOT NULL;
"""

STEPS: Sequence[str] = (
    *(_FIRST, _RUNS, _TOKENS, _NAMES, _EPOCH, _PEOPLE, _SLOW_MODE, _PINS, _MENTIONS, _SEARCH, _REMOVALS),
    *(_FILES, BOTS, HOOKS),
)
