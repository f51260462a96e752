"""What all writes of accounts use."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from domain.changes import UserChanged
from domain.decisions.accounts import check_username
from domain.models import User
from domain.refusals import Duplicate, NotFound
from domain.text import email_key, name_key
from storage.sqlite.rows import user_of
from storage.sqlite.sessions import end_sessions
from storage.sqlite.writer import Writer
from storage.times import to_micros


def get(db: sqlite3.Connection, user_id: int) -> User | None:
    """The user, also if banned or deleted."""
    row = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return user_of(row) if row else None


def of_login(db: sqlite3.Connection, login_key: str) -> User | None:
    """The user who is found by this key, also if banned or deleted."""
    row = db.execute("SELECT * FROM users WHERE login_key = ?", (login_key,)).fetchone()
    return user_of(row) if row else None


def bots_of(db: sqlite3.Connection, owner_id: int) -> Sequence[User]:
    """The bots of a user that are not deleted, by id."""
    rows = db.execute("SELECT * FROM users WHERE owner_id = ? AND deleted = 0 ORDER BY id", (owner_id,))
    return [user_of(row) for row in rows]


def insert(db: sqlite3.Connection, user: User) -> User:
    """Inserts an account, and returns it with its id. Raises: `Duplicate`, see `storage.ports.Users.create`."""
    check_username(user.username)
    username_key = name_key(user.username)
    address_key = None if user.email is None else email_key(user.email)
    if user.login_key is not None and of_login(db, user.login_key) is not None:
        raise Duplicate("login")
    if db.execute("SELECT 1 FROM users WHERE username_key = ?", (username_key,)).fetchone():
        raise Duplicate("username")
    if db.execute("SELECT 1 FROM users WHERE email_key = ?", (address_key,)).fetchone():
        raise Duplicate("email")
    user_id = db.execute(
        "INSERT INTO users (username, display_name, email, password_hash, created_at, is_bot, owner_id,"
        " username_key, display_name_key, email_key, login_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            user.username,
            user.display_name,
            user.email,
            user.password_hash,
            to_micros(user.created_at),
            user.is_bot,
            user.owner_id,
            username_key,
            name_key(user.display_name),
            address_key,
            user.login_key,
        ),
    ).lastrowid
    assert user_id is not None
    return replace(user, id=user_id)


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
