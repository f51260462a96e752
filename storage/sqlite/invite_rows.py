"""The rows of invites."""

import sqlite3
from collections.abc import Sequence

from domain.invites import Invite
from storage.sqlite.rows import Row
from storage.times import from_micros, to_micros


def get(db: sqlite3.Connection, code: str) -> Invite | None:
    row = db.execute("SELECT * FROM invites WHERE code = ?", (code,)).fetchone()
    return _invite_of(row) if row else None


def all_of(db: sqlite3.Connection, chat_id: int | None) -> Sequence[Invite]:
    """Those of a chat; those of the server with None. Some may be over or used up."""
    rows = db.execute("SELECT * FROM invites WHERE chat_id IS ?", (chat_id,))
    return list(map(_invite_of, rows))


def insert(db: sqlite3.Connection, invite: Invite) -> None:
    db.execute(
        "INSERT INTO invites (code, chat_id, created_by, created_at, expires_at, max_uses)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            invite.code,
            invite.chat_id,
            invite.created_by,
            to_micros(invite.created_at),
            None if invite.expires_at is None else to_micros(invite.expires_at),
            invite.max_uses,
        ),
    )


def add_uses(db: sqlite3.Connection, code: str, uses: int) -> None:
    """Nothing happens if the invite is gone."""
    db.execute("UPDATE invites SET uses = max(0, uses + ?) WHERE code = ?", (uses, code))


def delete(db: sqlite3.Connection, code: str) -> None:
    db.execute("DELETE FROM invites WHERE code = ?", (code,))


def delete_of(db: sqlite3.Connection, chat_id: int | None, maker_id: int) -> None:
    """Those that one user has made of a chat; those of the server with None."""
    db.execute("DELETE FROM invites WHERE chat_id IS ? AND created_by = ?", (chat_id, maker_id))


def delete_made(db: sqlite3.Connection, maker_id: int, *, of_server: bool) -> None:
    """Those that one user has made; with `of_server` those of the server alone."""
    db.execute(
        "DELETE FROM invites WHERE created_by = ? AND (chat_id IS NULL OR NOT ?)", (maker_id, of_server)
    )


def delete_over(db: sqlite3.Connection, chat_id: int | None, now: int) -> None:
    """Those of a chat that are over or used up at this time in microseconds."""
    db.execute(
        "DELETE FROM invites WHERE chat_id IS ? AND (expires_at <= ? OR uses >= max(max_uses, 1) AND max_uses > 0)",
        (chat_id, now),
    )


def _invite_of(row: Row) -> Invite:
    code, chat_id, created_by, created, expires, max_uses, uses, *_ = row
    expires_at = None if expires is None else from_micros(expires)
    return Invite(code, chat_id, created_by, from_micros(created), expires_at, max_uses, uses)
