"""Who owns a chat when its owner goes, or has an account that is no longer active.

Users who are not active do not count as owners and never inherit. Bots count as owners and never inherit.
"""

from dataclasses import replace

from domain.changes import RoleChanged
from domain.models import Member, Role
from storage.sqlite.rows import member_of
from storage.sqlite.writer import Writer

AT_ONCE = 100
"""So many chats are passed on in one write: with thousands of large ones others would wait, and those who are told."""

# CROSS JOIN: the members first, by the index that has them in the order in which they inherit.
_OWNERS = """
SELECT 1 FROM members CROSS JOIN users ON users.id = members.user_id
WHERE members.chat_id = ? AND members.role = 'owner' AND members.user_id <> ?
AND users.banned = 0 AND users.deleted = 0 LIMIT 1
"""
_OLDEST = """
SELECT members.* FROM members CROSS JOIN users ON users.id = members.user_id
WHERE members.chat_id = ? AND members.role = ? AND members.user_id <> ?
AND users.banned = 0 AND users.deleted = 0 AND users.is_bot = 0
ORDER BY members.joined_at, members.user_id LIMIT 1
"""


def has_owner_but(writer: Writer, chat_id: int, user_id: int) -> bool:
    """Whether the chat has an active owner besides this user."""
    return writer.db.execute(_OWNERS, (chat_id, user_id)).fetchone() is not None


def heir_but(writer: Writer, chat_id: int, user_id: int) -> Member | None:
    """Who inherits from this user: an owner if there is one, else the oldest admin, else the oldest member. None if
    only users who never inherit are left."""
    for role in ("owner", "admin", "member"):
        row = writer.db.execute(_OLDEST, (chat_id, role, user_id)).fetchone()
        if row is not None:
            return member_of(row)
    return None


def change_role(writer: Writer, chat_id: int, member: Member, role: Role) -> Member:
    """The member with another role; to be told by whoever calls this."""
    writer.db.execute(
        "UPDATE members SET role = ? WHERE chat_id = ? AND user_id = ?", (role, chat_id, member.user_id)
    )
    writer.forget_member(chat_id, member.user_id)
    return replace(member, role=role)


def pass_on(writer: Writer, user_id: int, after_id: int = 0) -> int | None:
    """Of a user who is no longer active: chats without another active owner get one, if anybody is there to inherit.
    The members of private chats keep their roles, as they keep their places.

    Looks at the first chats above an id; the id after which to go on, None when all have been looked at.
    """
    owned = writer.db.execute(
        "SELECT members.* FROM members CROSS JOIN chats ON chats.id = members.chat_id"
        " WHERE members.user_id = ? AND members.chat_id > ? AND members.role = 'owner'"
        " AND chats.chat_type <> 'private' ORDER BY members.chat_id LIMIT ?",
        (user_id, after_id, AT_ONCE),
    ).fetchall()
    for row in owned:
        _pass_on(writer, row[0], member_of(row))
    return owned[-1][0] if len(owned) == AT_ONCE else None


def _pass_on(writer: Writer, chat_id: int, owner: Member) -> None:
    if has_owner_but(writer, chat_id, owner.user_id):
        return
    heir = heir_but(writer, chat_id, owner.user_id)
    if heir is not None:
        former = change_role(writer, chat_id, owner, "member")
        writer.tell(RoleChanged(chat_id, former, change_role(writer, chat_id, heir, "owner")))
