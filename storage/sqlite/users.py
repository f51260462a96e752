"""Accounts."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from domain.changes import UserChanged
from domain.models import PresenceChoice, User
from domain.refusals import Duplicate, NotFound
from domain.text import email_key, name_key
from storage.sqlite import heirs
from storage.sqlite.database import Database
from storage.sqlite.rows import user_of
from storage.sqlite.sessions import end_sessions
from storage.sqlite.writer import Writer
from storage.times import to_micros
from storage.username_keys import key_bounds, namesake_key

_HIGHEST = chr(0x10FFFF)

# Of namesakes, the one whose name was given exactly but for case, else the one that has the key of the name.
_BY_NAME = """
SELECT * FROM users WHERE (username_key = ? OR (username_key >= ? AND username_key < ?)) AND deleted = 0
ORDER BY username_key <> ?, username_key LIMIT 1
"""


class SqliteUsers:
    """See `storage.ports.Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        *,
        username: str,
        display_name: str,
        email: str | None,
        password_hash: str,
        created_at: datetime,
        is_bot: bool = False,
    ) -> User:
        return await self._database.write(
            _create, username, display_name, email, password_hash, created_at, is_bot
        )

    async def get(self, user_id: int) -> User | None:
        return await self._database.read(_get, user_id)

    async def get_many(self, user_ids: Collection[int]) -> Mapping[int, User]:
        return await self._database.read(_get_many, user_ids)

    async def find(self, login: str) -> User | None:
        return await self._database.read(_find, login)

    async def exist(self) -> bool:
        return await self._database.read(_exist)

    async def search(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        return await self._database.read(_search, name_key(prefix), after_id, limit)

    async def rename(self, user_id: int, display_name: str) -> User:
        return await self._database.write(_rename, user_id, display_name)

    async def change_password(self, user_id: int, password_hash: str, *, keep_session: str | None) -> None:
        await self._database.write(_change_password, user_id, password_hash, keep_session)

    async def renew_hash(self, user_id: int, old_hash: str, new_hash: str) -> None:
        await self._database.write(_renew_hash, user_id, old_hash, new_hash)

    async def costliest_hash(self) -> str:
        return await self._database.read(_costliest_hash)

    async def set_banned(self, user_id: int, banned: bool, *, pass_on: bool = True) -> User:
        user, go_on_after = await self._database.write(_set_banned, user_id, banned, pass_on)
        await self._pass_on(user_id, go_on_after)
        return user

    async def delete(self, user_id: int) -> User:
        user, go_on_after = await self._database.write(_delete, user_id)
        await self._pass_on(user_id, go_on_after)
        return user

    async def _pass_on(self, user_id: int, go_on_after: int | None) -> None:
        while go_on_after is not None:
            go_on_after = await self._database.write(heirs.pass_on, user_id, go_on_after)

    async def set_presence(self, user_id: int, presence: PresenceChoice) -> User:
        return await self._database.write(_set_presence, user_id, presence)

    async def seen(self, user_id: int, at: datetime) -> None:
        await self._database.write(_seen, user_id, at)


def check_account(db: sqlite3.Connection, user_id: int) -> User:
    """The user. Raises: `NotFound` if there is none, or they are deleted."""
    user = _get(db, user_id)
    if user is None or user.deleted:
        raise NotFound(f"user {user_id}")
    return user


def _get(db: sqlite3.Connection, user_id: int) -> User | None:
    row = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return user_of(row) if row else None


def _get_many(db: sqlite3.Connection, user_ids: Collection[int]) -> Mapping[int, User]:
    rows = db.execute(
        "SELECT * FROM users WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(user_ids)),)
    )
    return {row[0]: user_of(row) for row in rows}


def _exist(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT min(id) IS NOT NULL FROM users").fetchone()[0])


def _find(db: sqlite3.Connection, login: str) -> User | None:
    row = (
        db.execute(_BY_NAME, (*key_bounds(login), namesake_key(login))).fetchone()
        or db.execute(
            "SELECT * FROM users WHERE email_key = ? AND deleted = 0", (email_key(login),)
        ).fetchone()
    )
    return user_of(row) if row else None


def _search(db: sqlite3.Connection, key: str, after_id: int, limit: int) -> Sequence[User]:
    if key:
        rows = db.execute(
            "SELECT * FROM users WHERE id IN ("
            " SELECT id FROM users WHERE username_key >= :first AND username_key < :last"
            " UNION SELECT id FROM users WHERE display_name_key >= :first AND display_name_key < :last"
            ") AND id > :after AND banned = 0 AND deleted = 0 ORDER BY id LIMIT :limit",
            {"first": key, "last": key + _HIGHEST, "after": after_id, "limit": limit},
        )
    else:
        rows = db.execute(
            "SELECT * FROM users WHERE id > ? AND banned = 0 AND deleted = 0 ORDER BY id LIMIT ?",
            (after_id, limit),
        )
    return [user_of(row) for row in rows]


def _create(
    writer: Writer,
    username: str,
    display_name: str,
    email: str | None,
    password_hash: str,
    created_at: datetime,
    is_bot: bool,
) -> User:
    db = writer.db
    username_key = name_key(username)
    address_key = None if email is None else email_key(email)
    if db.execute("SELECT 1 FROM users WHERE username_key = ?", (username_key,)).fetchone():
        raise Duplicate("username")
    if db.execute("SELECT 1 FROM users WHERE email_key = ?", (address_key,)).fetchone():
        raise Duplicate("email")
    user_id = db.execute(
        "INSERT INTO users (username, display_name, email, password_hash, created_at, is_bot,"
        " username_key, display_name_key, email_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            username,
            display_name,
            email,
            password_hash,
            to_micros(created_at),
            is_bot,
            username_key,
            name_key(display_name),
            address_key,
        ),
    ).lastrowid
    assert user_id is not None
    return User(user_id, username, display_name, email, password_hash, created_at, is_bot=is_bot)


def _rename(writer: Writer, user_id: int, display_name: str) -> User:
    user = check_account(writer.db, user_id)
    if user.display_name == display_name:
        return user
    writer.db.execute(
        "UPDATE users SET display_name = ?, display_name_key = ? WHERE id = ?",
        (display_name, name_key(display_name), user_id),
    )
    return _publish(writer, user_id, shown=True)


def _change_password(writer: Writer, user_id: int, password_hash: str, keep_session: str | None) -> None:
    check_account(writer.db, user_id)
    writer.db.execute("UPDATE users SET password_hash = ? WHERE id = ?", (password_hash, user_id))
    _publish(writer, user_id)
    _end_sessions_but(writer, user_id, keep_session)


def _renew_hash(writer: Writer, user_id: int, old_hash: str, new_hash: str) -> None:
    renewed = writer.db.execute(
        "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", (new_hash, user_id, old_hash)
    )
    if renewed.rowcount:
        _publish(writer, user_id)


def _costliest_hash(db: sqlite3.Connection) -> str:
    (found,) = db.execute("SELECT max(password_hash) FROM users").fetchone()
    return found or ""


def _set_banned(writer: Writer, user_id: int, banned: bool, pass_on: bool) -> tuple[User, int | None]:
    """The user; where `heirs.pass_on` is to go on, None if it has done all."""
    user = check_account(writer.db, user_id)
    if user.banned != banned:
        writer.db.execute("UPDATE users SET banned = ? WHERE id = ?", (banned, user_id))
        user = _publish(writer, user_id, shown=True)
        if banned:
            _end_sessions_but(writer, user_id, None)
    return user, heirs.pass_on(writer, user_id) if banned and pass_on else None


def _delete(writer: Writer, user_id: int) -> tuple[User, int | None]:
    """As `_set_banned`."""
    name = check_account(writer.db, user_id).username
    writer.db.execute(
        "UPDATE users SET deleted = 1, email = NULL, email_key = NULL, password_hash = '',"
        " display_name = ?, display_name_key = ? WHERE id = ?",
        (name, name_key(name), user_id),
    )
    user = _publish(writer, user_id, shown=True)
    _end_sessions_but(writer, user_id, None)
    return user, heirs.pass_on(writer, user_id)


def _end_sessions_but(writer: Writer, user_id: int, kept: str | None) -> None:
    live = writer.db.execute("SELECT id FROM sessions WHERE user_id = ? AND revoked = 0", (user_id,))
    end_sessions(writer, user_id, [session_id for (session_id,) in live if session_id != kept])


def _set_presence(writer: Writer, user_id: int, presence: PresenceChoice) -> User:
    user = check_account(writer.db, user_id)
    if user.presence == presence:
        return user
    writer.db.execute("UPDATE users SET presence = ? WHERE id = ?", (presence, user_id))
    return _publish(writer, user_id, own=True)


def _seen(writer: Writer, user_id: int, at: datetime) -> None:
    later = writer.db.execute(
        "UPDATE users SET last_seen_at = ?"
        " WHERE id = ? AND ? > coalesce(last_seen_at, 0) AND presence <> 'offline'",
        (to_micros(at), user_id, to_micros(at)),
    )
    if later.rowcount:
        _publish(writer, user_id)


def _publish(writer: Writer, user_id: int, *, shown: bool = False, own: bool = False) -> User:
    """Publishes the user as they are now; `shown`: others see what changed, `own`: the user does."""
    user = _get(writer.db, user_id)
    assert user is not None
    writer.publish(UserChanged(user, shown, own))
    return user
