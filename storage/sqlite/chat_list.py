"""Chats as one member sees them."""

import json
import sqlite3
from collections.abc import Collection, Sequence

from domain.models import Chat, ChatPreview, ChatSummary, Member
from domain.private_chats import sees
from domain.refusals import NotFound
from storage.cursor import BEYOND, Cursor
from storage.sizes import PageBudget, summary_bytes
from storage.sqlite import history, members
from storage.sqlite.mentions import all_unread_mentions, unread_mentions
from storage.sqlite.rows import chat_of
from storage.sqlite.unread import unread_count, unread_counts

# See `domain.private_chats.sees`.
_SEEN = """
(chats.chat_type <> 'private' OR chats.head_seq > 0 OR members.opened OR chats.created_by = members.user_id)
"""

# A hidden chat is shown again by a message: see `members.CREATED_SINCE`.
_HIDDEN = f"""
(members.hidden_seq IS NOT NULL AND (chats.head_seq <= members.hidden_seq OR NOT EXISTS (
    {members.CREATED_SINCE.replace(":chat", "chats.id").replace(":seq", "members.hidden_seq")}
)))
"""

_PAGE = f"""
SELECT chats.activity, chats.* FROM members JOIN chats ON chats.id = members.chat_id
WHERE members.user_id = ? AND (chats.activity, chats.id) < (?, ?) AND {_SEEN} AND {_HIDDEN} = ?
ORDER BY chats.activity DESC, chats.id DESC LIMIT ?
"""  # noqa: S608 -- no input


def summary(db: sqlite3.Connection, chat_id: int, user_id: int) -> ChatSummary:
    """See `storage.ports.Chats.summary`."""
    member = members.get(db, chat_id, user_id)
    if member is None:
        raise NotFound(f"chat {chat_id}")
    chat = chat_of(db.execute("SELECT * FROM chats WHERE id = ?", (chat_id,)).fetchone())
    if not sees(chat, member):
        raise NotFound(f"chat {chat_id}")
    return _summary(db, chat, member)


def page(
    db: sqlite3.Connection,
    user_id: int,
    after: Cursor | None,
    limit: int,
    max_bytes: int | None,
    hidden: bool,
) -> tuple[Sequence[ChatSummary], str | None]:
    """See `storage.ports.Chats.list_for`. The cost grows with the number of the user's chats, not of messages."""
    start = after or Cursor(BEYOND, BEYOND)
    rows = db.execute(_PAGE, (user_id, start.at, start.id, hidden, limit + 1)).fetchall()
    budget, summaries = PageBudget(max_bytes), []
    for _, *row in rows[:limit]:
        chat = chat_of(tuple(row))
        member = members.get(db, chat.id, user_id)
        assert member is not None
        summary = _summary(db, chat, member)
        if not budget.takes(summary_bytes(summary)):
            break
        summaries.append(summary)
    if len(rows) == len(summaries):
        return summaries, None
    activity, chat_id, *_ = rows[len(summaries) - 1]
    return summaries, str(Cursor(activity, chat_id))


def ids_of(db: sqlite3.Connection, user_id: int) -> Sequence[int]:
    """See `storage.ports.Chats.ids_of`."""
    rows = db.execute(
        "SELECT members.chat_id FROM members JOIN chats ON chats.id = members.chat_id"  # noqa: S608 -- no input
        f" WHERE members.user_id = ? AND {_SEEN}",
        (user_id,),
    )
    return [chat_id for (chat_id,) in rows]


def has_member(db: sqlite3.Connection, chat_id: int, user_id: int) -> bool:
    """See `storage.ports.Chats.has_member`."""
    found = db.execute("SELECT 1 FROM members WHERE chat_id = ? AND user_id = ?", (chat_id, user_id))
    return found.fetchone() is not None


def preview(db: sqlite3.Connection, chat_id: int, user_ids: Collection[int]) -> ChatPreview | None:
    """See `storage.ports.Chats.preview`."""
    found = db.execute("SELECT head_seq FROM chats WHERE id = ?", (chat_id,)).fetchone()
    if found is None:
        return None
    rows = db.execute(
        "SELECT members.user_id, members.read_seq FROM json_each(?) CROSS JOIN members"
        " ON members.chat_id = ? AND members.user_id = json_each.value",
        (json.dumps(list(user_ids)), chat_id),
    )
    marks = dict(rows)
    unread = unread_counts(db, chat_id, marks)
    behind = {user_id: marks[user_id] for user_id, count in unread.items() if count}
    mentioning = all_unread_mentions(db, chat_id, behind)
    return ChatPreview(found[0], history.newest(db, chat_id), unread, marks, mentioning)


def small_chats_of(db: sqlite3.Connection, user_id: int, members_max: int) -> Sequence[int]:
    """The user's chats of at most `members_max` members, but for private ones that only one member sees."""
    rows = db.execute(
        "SELECT chats.id FROM members CROSS JOIN chats ON chats.id = members.chat_id"
        " WHERE members.user_id = ? AND chats.member_count <= ? AND"
        " (chats.chat_type <> 'private' OR chats.head_seq > 0"
        " OR EXISTS (SELECT 1 FROM members AS two WHERE two.chat_id = chats.id AND two.opened))",
        (user_id, members_max),
    )
    return [chat_id for (chat_id,) in rows]


def members_among(
    db: sqlite3.Connection, chat_ids: Collection[int], among: Collection[int]
) -> Collection[int]:
    """Those of the users who are in any of the chats."""
    # The + makes it go through the members of each chat, who are few, and not through all the users for each chat.
    rows = db.execute(
        "SELECT DISTINCT members.user_id FROM json_each(?) AS wanted CROSS JOIN members"
        " ON members.chat_id = wanted.value WHERE +members.user_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(chat_ids)), json.dumps(list(among))),
    )
    return [user_id for (user_id,) in rows]


def _summary(db: sqlite3.Connection, chat: Chat, member: Member) -> ChatSummary:
    mark = chat.id, member.user_id, member.read_seq
    unread = unread_count(db, *mark)
    return ChatSummary(
        chat=chat,
        member=member,
        unread_count=unread,
        last_message=history.newest(db, chat.id),
        unread_mentions=unread and unread_mentions(db, *mark),
    )
