"""The first steps: the tables of users, sessions, chats, members and messages."""

FIRST = """
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
RUNS = """
ALTER TABLE messages ADD COLUMN run_seq INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET run_seq = seq;
DROP INDEX messages_by_sender;
DROP INDEX messages_alive;
CREATE INDEX messages_alive ON messages (chat_id, seq, sender_id, run_seq, deleted) WHERE deleted = 0;
"""
