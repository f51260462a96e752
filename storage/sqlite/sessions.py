"""Logins and their refresh tokens."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from domain.changes import SessionsRevoked
from domain.models import Session
from storage.errors import NotFound, TokenReused, TokenUnknown
from storage.ports import REUSES_MAX
from storage.sqlite.database import Database
from storage.sqlite.rows import micros, session_of
from storage.sqlite.writer import Writer

_SECOND = 1_000_000

END_NOTE = "#"
"""With this, and the id of a session instead of a hash, a sweep notes that it found the session revoked."""


class SqliteSessions:
    """See `storage.ports.Sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, *, session_id: str, user_id: int, token_hash: str, expires_at: datetime, created_at: datetime
    ) -> Session:
        session = Session(session_id, user_id, created_at)
        return await self._database.write(_create, session, token_hash, expires_at)

    async def get(self, session_id: str) -> Session | None:
        return await self._database.read(_get, session_id)

    async def rotate(
        self, token_hash: str, *, new_hash: str, expires_at: datetime, now: datetime, grace_s: float
    ) -> Session:
        session = await self._database.write(
            _rotate, token_hash, new_hash, micros(expires_at), micros(now), round(grace_s * _SECOND)
        )
        if session.revoked:
            raise TokenReused(f"session {session.id} is revoked")
        return session

    async def revoke(self, session_id: str) -> None:
        await self._database.write(_revoke, session_id)

    async def sweep(self, *, after: str, limit: int, now: datetime, keep_s: float) -> str | None:
        return await self._database.write(_sweep, after, limit, micros(now), round(keep_s * _SECOND))


def end_sessions(writer: Writer, user_id: int, session_ids: Sequence[str]) -> None:
    """Revokes sessions of the user that have not ended; their tokens go."""
    if not session_ids:
        return
    writer.db.executemany(
        "UPDATE sessions SET revoked = 1 WHERE id = ?", [(session_id,) for session_id in session_ids]
    )
    writer.db.executemany(
        "DELETE FROM tokens WHERE session_id = ?", [(session_id,) for session_id in session_ids]
    )
    writer.tell(SessionsRevoked(user_id, session_ids))


def _get(db: sqlite3.Connection, session_id: str) -> Session | None:
    row = db.execute("SELECT * FROM sessions WHERE id = ?", (session_id,)).fetchone()
    return session_of(row) if row else None


def _create(writer: Writer, session: Session, token_hash: str, expires_at: datetime) -> Session:
    known = "SELECT 1 FROM users WHERE id = ? AND deleted = 0"
    if not writer.db.execute(known, (session.user_id,)).fetchone():
        raise NotFound(f"user {session.user_id}")
    writer.db.execute(
        "INSERT INTO sessions (id, user_id, created_at) VALUES (?, ?, ?)",
        (session.id, session.user_id, micros(session.created_at)),
    )
    _give(writer, token_hash, session.id, micros(expires_at))
    return session


def _give(writer: Writer, token_hash: str, session_id: str, expires_at: int) -> None:
    writer.db.execute(
        "INSERT INTO tokens (hash, session_id, expires_at) VALUES (?, ?, ?)",
        (token_hash, session_id, expires_at),
    )


def _rotate(writer: Writer, token_hash: str, new_hash: str, expires_at: int, now: int, grace: int) -> Session:
    """The session; a revoked one if the token was used again too late or too often, which is what revoked it."""
    token = writer.db.execute(
        "SELECT session_id, spent_at, reuses FROM tokens WHERE hash = ? AND expires_at > ?", (token_hash, now)
    ).fetchone()
    if token is None:
        raise TokenUnknown
    session_id, spent_at, reuses = token
    session = _get(writer.db, session_id)
    assert session is not None
    if spent_at is not None and (now - spent_at > grace or reuses >= REUSES_MAX):
        end_sessions(writer, session.user_id, [session_id])
        return Session(session.id, session.user_id, session.created_at, revoked=True)
    if spent_at is None:
        writer.db.execute("UPDATE tokens SET spent_at = ? WHERE hash = ?", (now, token_hash))
    else:
        writer.db.execute("UPDATE tokens SET reuses = reuses + 1 WHERE hash = ?", (token_hash,))
    writer.db.execute("DELETE FROM tokens WHERE session_id = ? AND expires_at <= ?", (session_id, now))
    _give(writer, new_hash, session_id, expires_at)
    return session


def _revoke(writer: Writer, session_id: str) -> None:
    session = _get(writer.db, session_id)
    if session is not None and not session.revoked:
        end_sessions(writer, session.user_id, [session_id])


def _sweep(writer: Writer, after: str, limit: int, now: int, keep: int) -> str | None:
    db = writer.db
    rows = db.execute(
        "SELECT id, (SELECT max(expires_at) FROM tokens WHERE session_id = sessions.id) FROM sessions"
        " WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    ).fetchall()
    # Without a token: revoked. One that nobody has notes since when.
    db.executemany(
        "INSERT INTO tokens (hash, session_id, expires_at) VALUES (?, ?, ?)",
        [(END_NOTE + session_id, session_id, now) for session_id, end in rows if end is None],
    )
    over = [(session_id,) for session_id, end in rows if end is not None and end <= now - keep]
    db.executemany("DELETE FROM tokens WHERE session_id = ?", over)
    db.executemany("DELETE FROM sessions WHERE id = ?", over)
    return rows[-1][0] if len(rows) == limit else None
