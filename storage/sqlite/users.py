"""Accounts."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.acts import UNAUDITED, AccountUpdate, Act
from domain.models import PresenceChoice, User
from domain.text import email_key, name_key
from storage.sqlite import account_acts, heirs
from storage.sqlite.accounts import check_account, check_active, insert, of_login
from storage.sqlite.accounts import end_sessions_but as _end_sessions_but
from storage.sqlite.accounts import get as _get
from storage.sqlite.accounts import publish as _publish
from storage.sqlite.database import Database
from storage.sqlite.rows import user_of
from storage.sqlite.writer import Writer
from storage.times import to_micros
from storage.username_keys import key_bounds, namesake_key

_HIGHEST = chr(0x10FFFF)

# Of namesakes, the one whose name was given exactly but for case, else the one that has the key of the name.
_BY_NAME = """
SELECT * FROM users WHERE (username_key = ? OR (username_key >= ? AND username_key < ?)) AND deleted = 0 AND is_hook = 0
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
        is_admin: bool = False,
        login_key: str | None = None,
        act: Act = UNAUDITED,
    ) -> User:
        draft = User(0, username, display_name, email, password_hash, created_at, login_key=login_key)
        return await self._database.write(_create, replace(draft, is_bot=is_bot), is_admin, act)

    async def create_first_admin(
        self,
        *,
        setup_hash: str,
        username: str,
        display_name: str,
        email: str | None,
        password_hash: str,
        created_at: datetime,
    ) -> User:
        draft = User(0, username, display_name, email, password_hash, created_at)
        return await self._database.write(
            account_acts.create_first,
            setup_hash,
            lambda writer: _create(writer, draft),
            Act(None, created_at),
        )

    async def admin(self) -> User | None:
        return await self._database.read(account_acts.admin)

    async def keep_setup_hash(self, setup_hash: str) -> None:
        await self._database.write(account_acts.keep_setup_hash, setup_hash)

    async def setup_hash(self) -> str | None:
        return await self._database.read(account_acts.setup_hash)

    async def get(self, user_id: int) -> User | None:
        return await self._database.read(_get, user_id)

    async def get_many(self, user_ids: Collection[int]) -> Mapping[int, User]:
        return await self._database.read(_get_many, user_ids)

    async def find(self, login: str) -> User | None:
        return await self._database.read(_find, login)

    async def of_login(self, login_key: str) -> User | None:
        return await self._database.read(of_login, login_key)

    async def exist(self) -> bool:
        return await self._database.read(_exist)

    async def search(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        return await self._database.read(_search, name_key(prefix), after_id, limit)

    async def search_all(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        return await self._database.read(_search_all, name_key(prefix), email_key(prefix), after_id, limit)

    async def rename(self, user_id: int, display_name: str) -> User:
        return await self._database.write(_rename, user_id, display_name)

    async def change_password(
        self, user_id: int, password_hash: str, *, keep_session: str | None, act: Act = UNAUDITED
    ) -> None:
        await self._database.write(_change_password, user_id, password_hash, keep_session, act)

    async def renew_hash(self, user_id: int, old_hash: str, new_hash: str) -> None:
        await self._database.write(_renew_hash, user_id, old_hash, new_hash)

    async def costliest_hash(self) -> str:
        return await self._database.read(_costliest_hash)

    async def update(
        self, user_id: int, update: AccountUpdate, act: Act = UNAUDITED, *, pass_on: bool = True
    ) -> User:
        user, rest = await self._database.write(account_acts.update, user_id, update, act, pass_on)
        for owner_id, after_id in rest:
            go_on_after: int | None = after_id
            while go_on_after is not None:
                go_on_after = await self._database.write(heirs.pass_on, owner_id, act.at, go_on_after)
        return user

    async def set_banned(self, user_id: int, banned: bool, *, pass_on: bool = True) -> User:
        return await self.update(user_id, AccountUpdate(banned=banned), pass_on=pass_on)

    async def delete(self, user_id: int, act: Act = UNAUDITED) -> User:
        return await self.update(user_id, AccountUpdate(deleted=True), act)

    async def set_presence(self, user_id: int, presence: PresenceChoice) -> User:
        return await self._database.write(_set_presence, user_id, presence)

    async def set_avatar(self, user_id: int, avatar_id: str | None) -> User:
        return await self._database.write(_set_avatar, user_id, avatar_id)

    async def seen(self, user_id: int, at: datetime) -> None:
        await self._database.write(_seen, user_id, at)


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
            ") AND id > :after AND banned = 0 AND deleted = 0 AND is_hook = 0 ORDER BY id LIMIT :limit",
            {"first": key, "last": key + _HIGHEST, "after": after_id, "limit": limit},
        )
    else:
        rows = db.execute(
            "SELECT * FROM users WHERE id > ? AND banned = 0 AND deleted = 0 AND is_hook = 0 ORDER BY id LIMIT ?",
            (after_id, limit),
        )
    return [user_of(row) for row in rows]


_NAMED = """id IN (
    SELECT id FROM users WHERE username_key >= :key AND username_key < :last
    UNION SELECT id FROM users WHERE display_name_key >= :key AND display_name_key < :last
    UNION SELECT id FROM users WHERE email_key >= :address AND email_key < :address_last
) AND"""


def _search_all(db: sqlite3.Connection, key: str, address: str, after_id: int, limit: int) -> Sequence[User]:
    rows = db.execute(
        f"SELECT * FROM users WHERE {_NAMED if key else ''} id > :after AND deleted = 0 AND is_hook = 0"  # noqa: S608
        " ORDER BY id LIMIT :limit",
        {
            "key": key,
            "last": key + _HIGHEST,
            "address": address,
            "address_last": address + _HIGHEST,
            "after": after_id,
            "limit": limit,
        },
    )
    return [user_of(row) for row in rows]


def _create(writer: Writer, draft: User, is_admin: bool = False, act: Act = UNAUDITED) -> User:
    account_acts.check(writer, act)
    user = insert(writer.db, draft)
    account_acts.note(writer, act, "user_created", user.id, user.username)
    return account_acts.make_admin(writer, user, act) if is_admin else user


def _rename(writer: Writer, user_id: int, display_name: str) -> User:
    user = check_account(writer.db, user_id)
    if user.display_name == display_name:
        return user
    writer.db.execute(
        "UPDATE users SET display_name = ?, display_name_key = ? WHERE id = ?",
        (display_name, name_key(display_name), user_id),
    )
    return _publish(writer, user_id, shown=True)


def _change_password(
    writer: Writer, user_id: int, password_hash: str, keep_session: str | None, act: Act
) -> None:
    account_acts.check(writer, act)
    check_account(writer.db, user_id)
    writer.db.execute("UPDATE users SET password_hash = ? WHERE id = ?", (password_hash, user_id))
    _publish(writer, user_id)
    _end_sessions_but(writer, user_id, keep_session)
    account_acts.note(writer, act, "password_reset", user_id)


def _renew_hash(writer: Writer, user_id: int, old_hash: str, new_hash: str) -> None:
    renewed = writer.db.execute(
        "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", (new_hash, user_id, old_hash)
    )
    if renewed.rowcount:
        _publish(writer, user_id)


def _costliest_hash(db: sqlite3.Connection) -> str:
    (found,) = db.execute("SELECT max(password_hash) FROM users").fetchone()
    return found or ""


def _set_presence(writer: Writer, user_id: int, presence: PresenceChoice) -> User:
    user = check_account(writer.db, user_id)
    if user.presence == presence:
        return user
    writer.db.execute("UPDATE users SET presence = ? WHERE id = ?", (presence, user_id))
    return _publish(writer, user_id, own=True)


def _set_avatar(writer: Writer, user_id: int, avatar_id: str | None) -> User:
    user = check_active(writer.db, user_id)
    if user.avatar_id == avatar_id:
        return user
    writer.db.execute("UPDATE users SET avatar_id = ? WHERE id = ?", (avatar_id, user_id))
    writer.messages.free_avatar(user.avatar_id)
    return _publish(writer, user_id, shown=True)


def _seen(writer: Writer, user_id: int, at: datetime) -> None:
    later = writer.db.execute(
        "UPDATE users SET last_seen_at = ?"
        " WHERE id = ? AND ? > coalesce(last_seen_at, 0) AND presence <> 'offline'",
        (to_micros(at), user_id, to_micros(at)),
    )
    if later.rowcount:
        _publish(writer, user_id)
