"""The step for logins elsewhere."""

LOGINS = """
-- who of the users' own backend an account is of
ALTER TABLE users ADD COLUMN login_key TEXT;
CREATE UNIQUE INDEX users_by_login ON users (login_key) WHERE login_key IS NOT NULL;
"""
