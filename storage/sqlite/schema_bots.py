"""The step that adds what tables have of bots. See `schema` for what holds for all steps."""

BOTS = """
-- whose bot an account is
ALTER TABLE users ADD COLUMN owner_id INTEGER;
ALTER TABLE users ADD COLUMN banned_with_owner INTEGER NOT NULL DEFAULT 0;
CREATE INDEX users_by_owner ON users (owner_id) WHERE owner_id IS NOT NULL;
"""
