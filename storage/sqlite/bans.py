"""Mutes and bans. The mute of a member stands with the member; that of a user who left waits in a table of its own."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from domain.models import Ban, Member
from storage.cursor import Cursor
from storage.sqlite.rows import Row
from storage.times import from_micros, to_micros


def mute(db: sqlite3.Connection, chat_id: int, member: Member) -> None:
    until = None if member.muted_until is None else to_micros(member.muted_until)
    db.execute(
        "UPDATE members SET muted_until = ? WHERE chat_id = ? AND user_id = ?",
        (until, chat_id, member.user_id),
    )


def keep_mute(db: sqlite3.Connection, chat_id: int, user_id: int) -> None:
    """To be called before the row of a member goes."""
    db.execute(
        "INSERT INTO mutes (chat_id, user_id, until) SELECT chat_id, user_id, muted_until FROM members"
        " WHERE chat_id = ? AND user_id = ? AND muted_until IS NOT NULL",
        (chat_id, user_id),
    )


def forget_mute(db: sqlite3.Connection, chat_id: int, user_id: int) -> None:
    """The user is a member again, and the row of the member has the mute."""
    db.execute("DELETE FROM mutes WHERE chat_id = ? AND user_id = ?", (chat_id, user_id))


def earlier_mute(db: sqlite3.Connection, chat_id: int, user_id: int) -> datetime | None:
    """See `domain.decisions.view.MemberView.earlier_mute`."""
    row = db.execute(
        "SELECT until FROM mutes WHERE chat_id = ? AND user_id = ?", (chat_id, user_id)
    ).fetchone()
    return None if row is None else from_micros(row[0])


def insert_ban(db: sqlite3.Connection, chat_id: int, ban: Ban) -> None:
    db.execute(
        "INSERT INTO bans (chat_id, user_id, reason, banned_by, at) VALUES (?, ?, ?, ?, ?)",
        (chat_id, ban.user_id, ban.reason, ban.banned_by, to_micros(ban.at)),
    )


def delete_ban(db: sqlite3.Connection, chat_id: int, user_id: int) -> None:
    db.execute("DELETE FROM bans WHERE chat_id = ? AND user_id = ?", (chat_id, user_id))


def get_ban(db: sqlite3.Connection, chat_id: int, user_id: int) -> Ban | None:
    row = db.execute(
        "SELECT user_id, reason, banned_by, at FROM bans WHERE chat_id = ? AND user_id = ?",
        (chat_id, user_id),
    ).fetchone()
    return None if row is None else _ban_of(row)


def page_of_bans(
    db: sqlite3.Connection, chat_id: int, after_id: int, limit: int
) -> tuple[Sequence[Ban], str | None]:
    """The bans of a chat of users with higher ids, by user id."""
    rows = db.execute(
        "SELECT user_id, reason, banned_by, at FROM bans WHERE chat_id = ? AND user_id > ?"
        " ORDER BY user_id LIMIT ?",
        (chat_id, after_id, limit + 1),
    )
    found = [_ban_of(row) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], str(Cursor(0, found[limit - 1].user_id))


def forget_chat(db: sqlite3.Connection, chat_id: int) -> None:
    """The chat is gone."""
    db.execute("DELETE FROM mutes WHERE chat_id = ?", (chat_id,))
    db.execute("DELETE FROM bans WHERE chat_id = ?", (chat_id,))


def _ban_of(row: Row) -> Ban:
    user_id, reason, banned_by, at = row
    return Ban(user_id, reason, banned_by, from_micros(at))
