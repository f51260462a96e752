"""The step for uploads and avatars."""

# `uploads_bytes` of a user is the sum of the sizes of their uploads, so that the quota does not cost a row for each of
# them. `freed_files` are those to which nothing refers any more.
FILES = """
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
