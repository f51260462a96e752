"""What admins, and users themselves, do to accounts. The last active admin stays one: `domain.decisions.admins`."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from domain.acts import FOLLOW_OWNER, AccountUpdate, Act, Action, entries_of_act, entries_of_update
from domain.decisions.admins import check_actor, shows_change, update_account
from domain.decisions.invites import ended_with
from domain.models import User
from domain.refusals import Forbidden
from domain.text import name_key
from storage.sqlite import audit_rows, heirs, invite_rows, upload_rows
from storage.sqlite.accounts import bots_of, end_sessions_but, get, publish
from storage.sqlite.rows import user_of
from storage.sqlite.writer import Writer

SETUP = "setup"
"""The key of `meta` under which the hash of the setup code is."""


def admin(db: sqlite3.Connection) -> User | None:
    """The active admin with the lowest id."""
    row = db.execute(
        "SELECT * FROM users WHERE is_admin = 1 AND banned = 0 AND deleted = 0 ORDER BY id LIMIT 1"
    ).fetchone()
    return user_of(row) if row else None


def keep_setup_hash(writer: Writer, setup_hash: str) -> None:
    writer.db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (SETUP, setup_hash))


def setup_hash(db: sqlite3.Connection) -> str | None:
    found = db.execute("SELECT value FROM meta WHERE key = ?", (SETUP,)).fetchone()
    return found[0] if found else None


def create_first(writer: Writer, given_hash: str, create: Callable[[Writer], User], act: Act) -> User:
    """Creates the first admin. Raises: `Forbidden` for another hash than the one that is kept, and if there is an
    admin; what `create` raises."""
    if admin(writer.db) is not None or given_hash != setup_hash(writer.db):
        raise Forbidden("this setup link does not work, or not any more")
    user = create(writer)
    writer.db.execute("DELETE FROM meta WHERE key = ?", (SETUP,))
    return make_admin(writer, user, replace(act, actor_id=user.id))


def make_admin(writer: Writer, user: User, act: Act) -> User:
    """Makes a user an admin who was created in this transaction."""
    writer.db.execute("UPDATE users SET is_admin = 1 WHERE id = ?", (user.id,))
    note(writer, act, "admin_added", user.id)
    return replace(user, is_admin=True)


def update(
    writer: Writer, user_id: int, wanted: AccountUpdate, act: Act, pass_on: bool
) -> tuple[User, Sequence[tuple[int, int]]]:
    """The user after the update; and whose ownership `heirs.pass_on` has to go on passing on, after which chats.

    Raises: as `domain.decisions.admins.update_account`.
    """
    user = _update(writer, user_id, wanted, act)
    concerned = wanted.deleted or wanted.banned is not None
    bots = bots_of(writer.db, user_id) if concerned else ()
    for bot in bots:
        _update(writer, bot.id, FOLLOW_OWNER, replace(act, checked=True))
    if not pass_on or not (wanted.deleted or wanted.banned):
        return user, ()
    rest = [(one.id, heirs.pass_on(writer, one.id, act.at)) for one in (user, *bots)]
    return user, [(one_id, after_id) for one_id, after_id in rest if after_id is not None]


def _update(writer: Writer, user_id: int, wanted: AccountUpdate, act: Act) -> User:
    """The user after the update; their bots stay as they are."""
    db, before = writer.db, get(writer.db, user_id)
    owner = None if before is None or before.owner_id is None else get(db, before.owner_id)
    others = partial(_has_admin_besides, db, user_id)
    after = update_account(before, wanted, act, _actor(db, act), others, owner)
    assert before is not None
    if after != before:
        _write(db, after)
        shown = shows_change(before, after)
        after = publish(writer, user_id, shown=shown, own=after.is_admin != before.is_admin)
        if not after.is_admin:
            invite_rows.delete_of(db, None, user_id)
        if not after.active:
            end_sessions_but(writer, user_id, None)
        if after.deleted:
            writer.messages.free_avatar(before.avatar_id)
            writer.messages.remove_uploads(upload_rows.unattached_of(db, user_id))
        if (ended := ended_with(before, after)) is not None:
            invite_rows.delete_made(db, user_id, of_server=ended == "of the server")
        audit_rows.write(db, None, entries_of_update(before, after, act))
    return after


def check(writer: Writer, act: Act) -> None:
    """Raises: `Forbidden` if the one who acts does not administer the server."""
    check_actor(act, _actor(writer.db, act))


def note(writer: Writer, act: Act, action: Action, user_id: int, detail: str | None = None) -> None:
    """Writes what the audit of the server says of an act."""
    audit_rows.write(writer.db, None, entries_of_act(act, action, user_id, detail))


def _write(db: sqlite3.Connection, user: User) -> None:
    db.execute(
        "UPDATE users SET is_admin = ?, banned = ?, banned_with_owner = ?, deleted = ?, display_name = ?,"
        " display_name_key = ?, password_hash = ?, email = ?, email_key = iif(? IS NULL, NULL, email_key),"
        " avatar_id = ? WHERE id = ?",
        (
            user.is_admin,
            user.banned,
            user.banned_with_owner,
            user.deleted,
            user.display_name,
            name_key(user.display_name),
            user.password_hash,
            user.email,
            user.email,
            user.avatar_id,
            user.id,
        ),
    )


def _actor(db: sqlite3.Connection, act: Act) -> User | None:
    return None if act.actor_id is None else get(db, act.actor_id)


def _has_admin_besides(db: sqlite3.Connection, user_id: int) -> bool:
    found = db.execute(
        "SELECT 1 FROM users WHERE is_admin = 1 AND banned = 0 AND deleted = 0 AND id <> ? LIMIT 1",
        (user_id,),
    )
    return found.fetchone() is not None
