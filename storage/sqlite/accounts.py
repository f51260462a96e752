"""What all writes of accounts use."""

import sqlite3

from domain.changes import UserChanged
from domain.models import User
from domain.refusals import NotFound
from storage.sqlite.rows import user_of
from storage.sqlite.sessions import end_sessions
from storage.sqlite.writer import Writer


def get(db: sqlite3.Connection, user_id: int) -> User | None:
    """The user, also if banned or deleted."""
    row = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return user_of(row) if row else None


def check_account(db: sqlite3.Connection, user_id: int) -> User:
    """The user. Raises: `NotFound` if there is none, they are deleted, or a hook writes as them."""
    user = get(db, user_id)
    if user is None or user.deleted or user.is_hook:
        raise NotFound(f"user {user_id}")
    return user


def check_active(db: sqlite3.Connection, user_id: int) -> User:
    """The user. Raises: `NotFound` if there is none, or the account may not be used."""
    user = check_account(db, user_id)
    if not user.active:
        raise NotFound(f"user {user_id}")
    return user


def end_sessions_but(writer: Writer, user_id: int, kept: str | None) -> None:
    """Revokes every session of the user but one."""
    live = writer.db.execute("SELECT id FROM sessions WHERE user_id = ? AND revoked = 0", (user_id,))
    end_sessions(writer, user_id, [session_id for (session_id,) in live if session_id != kept])


def publish(writer: Writer, user_id: int, *, shown: bool = False, own: bool = False) -> User:
    """Publishes the user as they are now; `shown`: others see what changed, `own`: the user does."""
    user = get(writer.db, user_id)
    assert user is not None
    writer.publish(UserChanged(user, shown, own))
    return user
