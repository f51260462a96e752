"""Passing on what a user owns whose account is no longer active."""

from datetime import datetime

from domain.decisions import heirs
from storage.sqlite.writer import Writer

AT_ONCE = 100
"""How many chats are passed on in one write: with thousands of large ones, other writes would wait for long."""


def pass_on(writer: Writer, user_id: int, at: datetime, after_id: int = 0) -> int | None:
    """Passes on the user's groups and channels, see `domain.decisions.heirs.pass_on`: the first `AT_ONCE` of them above
    an id. The id after which to go on; None if these were the last."""
    owned = writer.db.execute(
        "SELECT members.chat_id FROM members CROSS JOIN chats ON chats.id = members.chat_id"
        " WHERE members.user_id = ? AND members.chat_id > ? AND members.role = 'owner'"
        " AND chats.chat_type <> 'private' ORDER BY members.chat_id LIMIT ?",
        (user_id, after_id, AT_ONCE),
    ).fetchall()
    for (chat_id,) in owned:
        change = heirs.pass_on(writer.chats, chat_id, user_id, at)
        if change is not None:
            writer.apply(change)
    return owned[-1][0] if len(owned) == AT_ONCE else None
