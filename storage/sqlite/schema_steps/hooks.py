"""The step for hooks."""

# `position` and what follows it say how far an outgoing hook is. `events` are words with a space between them.
HOOKS = """
-- hooks, and which users are theirs
ALTER TABLE users ADD COLUMN is_hook INTEGER NOT NULL DEFAULT 0;
CREATE TABLE hooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    target_url TEXT,
    events TEXT NOT NULL,
    include_bots INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    key_hash TEXT,
    secret TEXT,
    position INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    last_error TEXT,
    next_try_at INTEGER,
    stopped INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX hooks_by_chat ON hooks (chat_id);
CREATE UNIQUE INDEX hooks_by_key ON hooks (key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX hooks_outgoing ON hooks (id) WHERE kind = 'outgoing';
"""
