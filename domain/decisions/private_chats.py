"""Creating, finding and deleting the private chat of two users, and what a block does to it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from domain.changes import (
    ChatCreated,
)
from domain.decisions.accounts import is_active, is_somebody
from domain.decisions.view import MemberView
from domain.models import Chat, ChatState, Member
from domain.private_chats import ChatOpened, MemberBlocked, sees
from domain.refusals import Forbidden, UnknownUsers


def open_private(
    view: MemberView, owner_id: int, other_id: int, created_at: datetime
) -> ChatCreated | ChatOpened | tuple[Chat, bool]:
    """The private chat of an active user and another one: as it is, with False, if the user sees it; as they see it
    from now on, if the other one created it and has written nothing; else a new one.

    Raises: `UnknownUsers` for a user who does not exist, or as whom a hook writes; if there is no chat yet, also for
    one who is not active, and `Forbidden` if they have blocked the user.
    """
    if not is_somebody(view, other_id):
        raise UnknownUsers([other_id])
    user_ids = sorted((owner_id, other_id))
    chat = view.private_chat(user_ids)
    if chat is not None:
        member = view.member(chat.id, owner_id)
        assert member is not None  # the members of a private chat are fixed
        return (chat, False) if sees(chat, member) else ChatOpened(chat, owner_id)
    if not is_active(view, other_id):
        raise UnknownUsers([other_id])
    check_not_blocked(view, owner_id, [other_id])
    members = {
        user_id: Member(
            user_id,
            "owner" if user_id == owner_id else "member",
            created_at,
            blocked=user_id == other_id and _has_blocked(view, owner_id, other_id),
        )
        for user_id in user_ids
    }
    chat = Chat(view.next_chat_id(), None, "private", created_at, owner_id, head_seq=0, member_count=2)
    return ChatCreated(ChatState(chat, members))


def check_not_blocked(view: MemberView, user_id: int, others: Collection[int]) -> None:
    """Raises: `Forbidden` if any of the others has blocked the user."""
    if view.blockers_of(user_id, others):
        raise Forbidden("a person who has blocked you cannot be added")


def check_one_sided(view: MemberView, chat_id: int) -> None:
    """Raises: `Forbidden` for a private chat in which both have written."""
    if all(view.has_written(chat_id, user_id) for user_id in view.member_ids(chat_id)):
        raise Forbidden("a private chat in which both have written stays")


def unseen_by(view: MemberView, chat_id: int) -> int | None:
    """The member who does not know of the chat; None if there is none."""
    chat = view.chat(chat_id)
    if chat.chat_type != "private" or chat.head_seq > 0:
        return None
    members = (view.member(chat_id, user_id) for user_id in view.member_ids(chat_id))
    return next((member.user_id for member in members if member and not sees(chat, member)), None)


def follow_block(view: MemberView, chat_id: int, user_ids: Sequence[int]) -> MemberBlocked | None:
    """The change after which the private chat of two users says of the second whether the first has blocked them, as
    the block itself does; None if it says so, or there is no such chat."""
    blocker_id, user_id = user_ids
    member = view.member(chat_id, user_id)
    if member is None or member.blocked == _has_blocked(view, blocker_id, user_id):
        return None
    return MemberBlocked(chat_id, user_id, not member.blocked)


def _has_blocked(view: MemberView, blocker_id: int, user_id: int) -> bool:
    return blocker_id in view.blockers_of(user_id, [blocker_id])
