"""Making invites of chats, removing them, and joining chats by an invite or because they are public."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from domain.acts import Act
from domain.changes import MemberAdded
from domain.decisions.accounts import is_active
from domain.decisions.admins import administers, check_actor
from domain.decisions.members import new_member
from domain.decisions.view import MemberView
from domain.invites import INVITES_MAX, SERVER_INVITES_MAX, Invite, InviteMade, InviteRemoved
from domain.models import Actor, Member, User
from domain.permissions import check_invite, may_invite
from domain.private_chats import sees
from domain.refusals import NotFound, TooMany, UnknownUsers


def make(view: MemberView, invite: Invite) -> InviteMade:
    """The new invite of a chat, by its maker.

    Raises, the first that holds: `NotFound`, also if the maker is not active; `Forbidden`; `TooMany`.
    """
    assert invite.chat_id is not None
    check_invite(view.actor(invite.chat_id, invite.created_by))
    if not is_active(view, invite.created_by):
        raise NotFound(f"chat {invite.chat_id}")
    others = view.invites(invite.chat_id)
    view.accounts({one.created_by for one in others})  # at once, not one by one below
    if sum(_works(view, invite.chat_id, one, invite.created_at) for one in others) >= INVITES_MAX:
        raise TooMany(f"a chat has at most {INVITES_MAX} invites at a time")
    return InviteMade(invite)


def remove(
    view: MemberView, chat_id: int, code: str, user_id: int, at: datetime, *, is_server_admin: bool = False
) -> InviteRemoved:
    """The end of an invite of this chat. Raises: `NotFound` if it has ended already, and for a stranger who is no
    server admin; `Forbidden`."""
    if not is_server_admin:
        check_invite(view.actor(chat_id, user_id))
    invite = view.invite(code)
    if invite is None or invite.ended:
        raise NotFound("invite")
    return InviteRemoved(chat_id, code, user_id, at)


def accept(
    view: MemberView, chat_id: int, code: str, user_id: int, at: datetime, *, claimed: bool = False
) -> MemberAdded | Member:
    """The new member; the member as they are, if they are in the chat. `claimed`: one of the invite's uses is theirs
    already, so it counts as not used up.

    Raises: `NotFound` if the invite does not work.
    """
    check_works(view, chat_id, code, at, claimed=claimed)
    return enter(view, chat_id, user_id, at)


def check_works(view: MemberView, chat_id: int, code: str, at: datetime, *, claimed: bool = False) -> None:
    """Raises: `NotFound` if the invite is unknown, over or used up, or its maker may not invite now."""
    invite = view.invite(code)
    if invite is None or not _works(view, chat_id, invite, at, claimed=claimed):
        raise NotFound("invite")


def _works(view: MemberView, chat_id: int, invite: Invite, at: datetime, *, claimed: bool = False) -> bool:
    try:
        maker = view.actor(chat_id, invite.created_by)
    except NotFound:  # the maker has left, or the chat is deleted
        return False
    active = is_active(view, invite.created_by)
    return works(invite, at, maker, maker_is_active=active, claimed=claimed)


def works(
    invite: Invite, at: datetime, maker: Actor, *, maker_is_active: bool, claimed: bool = False
) -> bool:
    """Whether an invite of a chat works at this time, given its maker as they are in the chat now."""
    if invite.is_over(at) or (invite.used_up and not claimed):
        return False
    return may_invite(maker) and maker_is_active


def works_on_server(invite: Invite, at: datetime, maker: User) -> bool:
    """Whether an invite without a chat works: its maker has to be an active server admin, too."""
    return not (invite.is_over(at) or invite.used_up) and administers(maker)


def check_make_on_server(invite: Invite, maker: User | None, others: Sequence[Invite]) -> None:
    """Checks that the user may make an invite without a chat, besides the others that work. Raises: `Forbidden` for a
    maker who does not administer the server; `TooMany`."""
    check_actor(Act(invite.created_by, invite.created_at), maker)
    if len(others) >= SERVER_INVITES_MAX:
        raise TooMany(f"the server has at most {SERVER_INVITES_MAX} invites at a time")


def ended_with(before: User, after: User) -> Literal["all", "of the server"] | None:
    """Which invites of a maker end with a change of their account, for good: all with a ban, those of the server with
    the right of an admin. So that none from before comes back, they end with an unban and a new right as well."""
    if not after.active or not before.active:
        return "all"
    return "of the server" if administers(before) != administers(after) else None


def working(view: MemberView, chat_id: int, user_id: int, at: datetime) -> Sequence[Invite]:
    """The invites of a chat that work, in the order of their making, for one of its members. Raises: `NotFound`;
    `Forbidden`."""
    check_invite(view.actor(chat_id, user_id))
    return in_order(invite for invite in view.invites(chat_id) if _works(view, chat_id, invite, at))


def in_order(invites: Iterable[Invite]) -> Sequence[Invite]:
    """In the order in which lists have them."""
    return sorted(invites, key=lambda invite: (invite.created_at, invite.code))


def join(view: MemberView, chat_id: int, user_id: int, at: datetime) -> MemberAdded | Member:
    """The new member of a public chat; the member as they are, of any chat that they see. Raises: `NotFound` if the
    chat is not public."""
    chat, member = view.find_chat(chat_id), view.member(chat_id, user_id)
    if chat is not None and member is not None and sees(chat, member):
        return member
    if chat is None or not chat.is_public:
        raise NotFound(f"chat {chat_id}")
    return enter(view, chat_id, user_id, at)


def enter(view: MemberView, chat_id: int, user_id: int, at: datetime) -> MemberAdded | Member:
    """Somebody who may come into the chat, and does so by themselves; the member as they are, if they are in it.

    Raises: `UnknownUsers` for a user who is not active.
    """
    member = view.member(chat_id, user_id)
    if member is not None:
        return member
    if not is_active(view, user_id):  # banned since they asked for it
        raise UnknownUsers([user_id])
    return MemberAdded(chat_id, new_member(view, chat_id, user_id, "member", at), user_id)
