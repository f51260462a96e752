"""Who is in a chat, and as what."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

from domain.changes import MemberAdded, MemberRemoved, RoleChanged
from domain.models import Member, Permission, Role
from storage.cursor import BEYOND, Cursor
from storage.errors import Duplicate, LastOwner, NotFound
from storage.sqlite import history
from storage.sqlite.heirs import change_role, has_owner_but, heir_but
from storage.sqlite.removal import remove_chat
from storage.sqlite.rows import member_of, micros
from storage.sqlite.users import check_known, is_active
from storage.sqlite.writer import Writer

# Each role in its order, as the index `members_by_role` has it; there is none over all members, which would be one more
# to write, and sorting them all for each page is what this spares.
_PAGE = " UNION ALL ".join(
    f"SELECT * FROM (SELECT * FROM members WHERE chat_id = :chat AND role = '{role}'"  # noqa: S608 -- no input
    " AND (joined_at, user_id) > (:at, :id) ORDER BY joined_at, user_id LIMIT :limit)"
    for role in get_args(Role)
)
_PAGE = f"SELECT * FROM ({_PAGE}) ORDER BY joined_at, user_id LIMIT :limit"  # noqa: S608 -- no input


def get_all(db: sqlite3.Connection, chat_id: int) -> Mapping[int, Member]:
    rows = db.execute("SELECT * FROM members WHERE chat_id = ?", (chat_id,))
    return {member.user_id: member for member in map(member_of, rows)}


def page(
    db: sqlite3.Connection, chat_id: int, after: Cursor | None, limit: int
) -> tuple[Sequence[Member], str | None]:
    """See `storage.ports.Chats.members`. What it costs grows with the page, not with the members of the chat."""
    start = after or Cursor(-BEYOND, 0)
    asked = {"chat": chat_id, "at": start.at, "id": start.id, "limit": limit + 1}
    found = [member_of(row) for row in db.execute(_PAGE, asked)]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], str(Cursor(micros(last.joined_at), last.user_id))


def get(db: sqlite3.Connection, chat_id: int, user_id: int) -> Member | None:
    row = db.execute("SELECT * FROM members WHERE chat_id = ? AND user_id = ?", (chat_id, user_id)).fetchone()
    return member_of(row) if row else None


def insert(writer: Writer, chat_id: int, members: Collection[Member]) -> None:
    writer.db.executemany(
        "INSERT INTO members (chat_id, user_id, role, joined_at, read_seq, last_read_message_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (chat_id, m.user_id, m.role, micros(m.joined_at), m.read_seq, m.last_read_message_id)
            for m in members
        ],
    )


def add(
    writer: Writer,
    chat_id: int,
    actor_id: int,
    user_id: int,
    role: Role,
    joined_at: datetime,
    rule: Permission,
) -> Member:
    """See `storage.ports.Chats.add_member`."""
    writer.judge(rule, writer.actor(chat_id, actor_id))
    if not is_active(writer.db, actor_id):  # banned since they asked for it: the chat may be nobody's now
        raise NotFound(f"chat {chat_id}")
    check_known(writer.db, [user_id])
    if get(writer.db, chat_id, user_id) is not None:
        raise Duplicate("user_id")
    member = Member(user_id, role, joined_at)
    last = history.newest(writer.db, chat_id)
    if last is not None:
        member = replace(member, read_seq=last.seq, last_read_message_id=last.id)
    insert(writer, chat_id, [member])
    writer.db.execute("UPDATE chats SET member_count = member_count + 1 WHERE id = ?", (chat_id,))
    writer.tell(MemberAdded(chat_id, member))
    return member


def set_role(
    writer: Writer, chat_id: int, actor_id: int, user_id: int, role: Role, rule: Permission
) -> Member:
    """See `storage.ports.Chats.set_role`."""
    target = _target(writer, chat_id, actor_id, user_id, rule)
    if target.role == role:
        return target
    if target.role == "owner" and not has_owner_but(writer, chat_id, user_id):
        raise LastOwner(f"chat {chat_id} has no active owner but user {user_id}")
    member = change_role(writer, chat_id, target, role)
    writer.tell(RoleChanged(chat_id, member))
    return member


def remove(writer: Writer, chat_id: int, actor_id: int, user_id: int, rule: Permission) -> None:
    """See `storage.ports.Chats.remove_member`. Of the last member it is told that the chat was deleted, no more."""
    target = _target(writer, chat_id, actor_id, user_id, rule)
    heir = heir_but(writer, chat_id, user_id)
    if heir is None:
        remove_chat(writer, chat_id, left_id=user_id)
        return
    writer.db.execute("DELETE FROM members WHERE chat_id = ? AND user_id = ?", (chat_id, user_id))
    writer.db.execute("UPDATE chats SET member_count = member_count - 1 WHERE id = ?", (chat_id,))
    writer.forget_member(chat_id, user_id)
    owner = None
    if target.role == "owner" and not has_owner_but(writer, chat_id, user_id):
        owner = change_role(writer, chat_id, heir, "owner")
    (name,) = writer.db.execute("SELECT name FROM chats WHERE id = ?", (chat_id,)).fetchone()
    writer.tell(MemberRemoved(chat_id, user_id, owner, actor_id, name))


def _target(writer: Writer, chat_id: int, actor_id: int, user_id: int, rule: Permission) -> Member:
    """The member to be changed. Raises: `NotFound`; what the rule raises."""
    actor = writer.actor(chat_id, actor_id)
    target = get(writer.db, chat_id, user_id)
    if target is None:
        raise NotFound(f"user {user_id} in chat {chat_id}")
    writer.judge(rule, replace(actor, target=target))
    return target
