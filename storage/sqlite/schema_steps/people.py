"""The steps for admins, devices, moderation, invites and own settings of chats."""

# `mutes` has the mutes of users who left; while they are members, the column of `members` counts. A chat's own entries
# of `audit` have its id, those of the server 0.
PEOPLE = """
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

SLOW_MODE = """
-- when members sent their last messages in chats in slow mode
CREATE TABLE slow_sends (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, user_id)
) WITHOUT ROWID;
"""
