"""The steps for refresh tokens, comparable names, and the ids of the data."""

TOKENS = """
-- counts how often a refresh token was spent again, and gives the store an id for its access tokens
ALTER TABLE tokens ADD COLUMN reuses INTEGER NOT NULL DEFAULT 0;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta (key, value) VALUES ('store_id', lower(hex(randomblob(16))));
"""

# The keys are no longer only case-folded: see `domain.text`. Of accounts whose names are now the same, one has the key
# of the name, and each other has the key of a namesake (`storage.username_keys`); so keys stay unique, and begin with
# that of the name.
NAMES = """
-- usernames and display names compare without case and whatever their Unicode form (NFKC)
UPDATE users SET display_name_key = name_key(display_name) WHERE display_name_key <> name_key(display_name);
UPDATE OR IGNORE users SET username_key = name_key(username) WHERE username_key <> name_key(username);
UPDATE users SET username_key = namesake_key(username) WHERE username_key <> name_key(username);
"""

EPOCH = """
-- gives the data an epoch, a random word that clients compare
INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', lower(hex(randomblob(16))));
"""
