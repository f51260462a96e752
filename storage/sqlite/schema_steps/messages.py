"""The steps for pins, mentions, search, and the removal of messages."""

# `pinned` of a message is the number of the change that pinned it; 0: it is not pinned. No message had another value
# before this step.
PINS = """
-- finds the pinned messages of a chat, in the order in which they were pinned
CREATE INDEX messages_pinned ON messages (chat_id, pinned) WHERE pinned > 0;
"""

# User 0 stands for all members. A row has the number and the sender of its message. The index is for the changes of a
# message, and for the newest mentions of a chat.
MENTIONS = """
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
SEARCH = """
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
REMOVALS = """
-- notes whether something was removed: earlier versions did not overwrite what they deleted
INSERT OR IGNORE INTO meta (key, value) SELECT 'removed', ''
WHERE (SELECT max(seq) FROM sqlite_sequence WHERE name = 'messages')
    > (SELECT count(*) FROM messages WHERE deleted = 0);
"""
