"""Logins and their refresh tokens."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.changes import SessionsRevoked
from domain.models import Session
from domain.refusals import NotFound, TokenReused, TokenUnknown
from storage.ports import REUSES_MAX
from storage.sqlite.database import Database
from storage.sqlite.rows import session_of
from storage.sqlite.writer import Writer
from storage.times import to_micros

_SECOND = 1_000_000

END_NOTE = "#"
"""Begins the key of a token row by which a sweep notes when it first found a session revoked; the id of the session
follows instead of a hash."""


class SqliteSessions:
    """See `storage.ports.Sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        *,
        session_id: str,
        user_id: int,
        token_hash: str,
        expires_at: datetime,
        created_at: datetime,
        address: str = "",
        user_agent: str = "",
    ) -> Session:
        session = Session(session_id, user_id, created_at, address=address, user_agent=user_agent)
        return await self._database.write(_create, session, token_hash, expires_at)

    async def get(self, session_id: str) -> Session | None:
        return await self._database.read(_get, session_id)

    async def of_user(self, user_id: int, *, now: datetime, limit: int) -> Sequence[Session]:
        return await self._database.read(_of_user, user_id, to_micros(now), limit)

    async def used(self, at: Mapping[str, datetime]) -> None:
        if at:
            await self._database.write(_used, at)

    async def rotate(
        self, token_hash: str, *, new_hash: str, expires_at: datetime, now: datetime, grace_s: float
    ) -> Session:
        session = await self._database.write(
            _rotate, token_hash, new_hash, to_micros(expires_at), to_micros(now), round(grace_s * _SECOND)
        )
        if session.revoked:
            raise TokenReused(f"session {session.id} is revoked")
        return session

    async def revoke(self, session_id: str) -> None:
        await self._database.write(_revoke, session_id)

    async def sweep(self, *, after: str, limit: int, now: datetime, keep_s: float) -> str | None:
        return await self._database.write(_sweep, after, limit, to_micros(now), round(keep_s * _SECOND))


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
    writer.publish(SessionsRevoked(user_id, session_ids))


def _get(db: sqlite3.Connection, session_id: str) -> Session | None:
    row = db.execute("SELECT * FROM sessions WHERE id = ?", (session_id,)).fetchone()
    return session_of(row) if row else None


def _of_user(db: sqlite3.Connection, user_id: int, now: int, limit: int) -> Sequence[Session]:
    rows = db.execute(
        "SELECT * FROM sessions WHERE user_id = ? AND revoked = 0"
        " AND EXISTS (SELECT 1 FROM tokens WHERE session_id = sessions.id AND expires_at > ?)"
        " ORDER BY created_at DESC, id DESC LIMIT ?",
        (user_id, now, limit),
    )
    return [session_of(row) for row in rows]


def _used(writer: Writer, at: Mapping[str, datetime]) -> None:
    writer.db.executemany(
        "UPDATE sessions SET last_used_at = :at WHERE id = :id AND :at > coalesce(last_used_at, 0)",
        [{"id": session_id, "at": to_micros(used_at)} for session_id, used_at in at.items()],
    )


def _create(writer: Writer, session: Session, token_hash: str, expires_at: datetime) -> Session:
    known = "SELECT 1 FROM users WHERE id = ? AND deleted = 0 AND is_hook = 0"
    if not writer.db.execute(known, (session.user_id,)).fetchone():
        raise NotFound(f"user {session.user_id}")
    return insert_session(writer, session, token_hash, expires_at)


def insert_session(writer: Writer, session: Session, token_hash: str, expires_at: datetime) -> Session:
    """Inserts a session, and the token that is valid until then."""
    writer.db.execute(
        "INSERT INTO sessions (id, user_id, created_at, address, user_agent) VALUES (?, ?, ?, ?, ?)",
        (
            session.id,
            session.user_id,
            to_micros(session.created_at),
            session.address,
            session.user_agent,
        ),
    )
    _give(writer, token_hash, session.id, to_micros(expires_at))
    return session


def _give(writer: Writer, token_hash: str, session_id: str, expires_at: int) -> None:
    writer.db.execute(
        "INSERT INTO tokens (hash, session_id, expires_at) VALUES (?, ?, ?)",
        (token_hash, session_id, expires_at),
    )


def _rotate(writer: Writer, token_hash: str, new_hash: str, expires_at: int, now: int, grace: int) -> Session:
    """The session. It is revoked, by this very call, if the token was used again too late or too often."""
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
        return replace(session, revoked=True)
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
