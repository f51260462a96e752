"""The members of a chat."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from domain.models import Member, Role
from storage.cursor import BEYOND, Cursor
from storage.sqlite.rows import member_of
from storage.times import to_micros

# Each role in its own order, by the index `members_by_role`. An index over all members would be one more to write, and
# without any, every page would sort all members.
_PAGE = " UNION ALL ".join(
    f"SELECT * FROM (SELECT * FROM members WHERE chat_id = :chat AND role = '{role}'"  # noqa: S608 -- no input
    " AND (joined_at, user_id) > (:at, :id) ORDER BY joined_at, user_id LIMIT :limit)"
    for role in get_args(Role)
)
_PAGE = f"SELECT * FROM ({_PAGE}) ORDER BY joined_at, user_id LIMIT :limit"  # noqa: S608 -- no input


# Without the second part it would miss a message that is deleted by now.
CREATED_SINCE = """
SELECT 1 FROM messages WHERE chat_id = :chat AND seq > :seq AND deleted = 0
UNION ALL
SELECT 1 FROM messages WHERE chat_id = :chat AND changed_seq > :seq AND changed_seq > seq AND seq > :seq
LIMIT 1
"""
"""Whether a message was created in a chat after a number."""

SEEN = """
(chats.chat_type <> 'private' OR chats.head_seq > 0 OR members.opened OR chats.created_by = members.user_id)
"""
"""Whether a member sees the chat: see `domain.private_chats.sees`."""


def get_all(db: sqlite3.Connection, chat_id: int) -> Mapping[int, Member]:
    rows = db.execute("SELECT * FROM members WHERE chat_id = ?", (chat_id,))
    return {member.user_id: member for member in map(member_of, rows)}


def page(
    db: sqlite3.Connection, chat_id: int, after: Cursor | None, limit: int
) -> tuple[Sequence[Member], str | None]:
    """See `storage.ports.Chats.members`. The cost grows with the page, not with the number of members."""
    start = after or Cursor(-BEYOND, 0)
    asked = {"chat": chat_id, "at": start.at, "id": start.id, "limit": limit + 1}
    found = [member_of(row) for row in db.execute(_PAGE, asked)]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], str(Cursor(to_micros(last.joined_at), last.user_id))


def get(db: sqlite3.Connection, chat_id: int, user_id: int) -> Member | None:
    row = db.execute("SELECT * FROM members WHERE chat_id = ? AND user_id = ?", (chat_id, user_id)).fetchone()
    return _as_seen(db, chat_id, member_of(row)) if row else None


def _as_seen(db: sqlite3.Connection, chat_id: int, member: Member) -> Member:
    """The member, who sees the chat again if a message was created since they hid it."""
    settings = member.settings
    if settings.hidden_seq is None:
        return member
    found = db.execute(CREATED_SINCE, {"chat": chat_id, "seq": settings.hidden_seq}).fetchone()
    return member if found is None else replace(member, settings=replace(settings, hidden_seq=None))


def insert(db: sqlite3.Connection, chat_id: int, members: Collection[Member]) -> None:
    db.executemany(
        "INSERT INTO members (chat_id, user_id, role, joined_at, read_seq, last_read_message_id, muted_until,"
        " blocked, opened) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                chat_id,
                m.user_id,
                m.role,
                to_micros(m.joined_at),
                m.read_seq,
                m.last_read_message_id,
                None if m.muted_until is None else to_micros(m.muted_until),
                m.blocked,
                m.opened,
            )
            for m in members
        ],
    )
