"""Creating, naming and deleting chats."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from domain.changes import ChatCreated, ChatDeleted, ChatOpened, ChatRenamed
from domain.decisions.accounts import check_known, is_active
from domain.decisions.private_chats import check_not_blocked, check_one_sided, open_private, unseen_by
from domain.decisions.view import MemberView
from domain.models import Chat, ChatState, ChatType, Member
from domain.permissions import check_delete_chat, check_rename
from domain.refusals import UnknownUsers


def create(
    view: MemberView,
    name: str | None,
    chat_type: ChatType,
    owner_id: int,
    member_ids: Collection[int],
    created_at: datetime,
) -> ChatCreated | ChatOpened | tuple[Chat, bool]:
    """A new chat of the owner and the members, who may contain the owner. Two users share one private chat, see
    `open_private`.

    Raises: `UnknownUsers`, for an owner who is banned too; `Forbidden` if a member has blocked the owner.
    """
    if not is_active(view, owner_id):  # banned since they asked for it: a chat needs an owner who counts
        raise UnknownUsers([owner_id])
    if chat_type == "private":
        (other_id,) = set(member_ids) - {owner_id}
        return open_private(view, owner_id, other_id, created_at)
    user_ids = sorted({owner_id, *member_ids})
    check_known(view, user_ids)
    check_not_blocked(view, owner_id, [one for one in user_ids if one != owner_id])
    members = {
        user_id: Member(user_id, "owner" if user_id == owner_id else "member", created_at)
        for user_id in user_ids
    }
    chat = Chat(
        view.next_chat_id(), name, chat_type, created_at, owner_id, head_seq=0, member_count=len(members)
    )
    return ChatCreated(ChatState(chat, members))


def rename(view: MemberView, chat_id: int, user_id: int, name: str) -> ChatRenamed | Chat:
    """The chat with its new name; as it is if that is its name. Raises: `NotFound`; `Forbidden`."""
    check_rename(view.actor(chat_id, user_id))
    chat = view.chat(chat_id)
    return chat if chat.name == name else ChatRenamed(replace(chat, name=name))


def delete(view: MemberView, chat_id: int, user_id: int) -> ChatDeleted:
    """The end of the chat. Raises: `NotFound`; `Forbidden`, for a private chat in which both have written too."""
    actor = view.actor(chat_id, user_id)
    check_delete_chat(actor)
    if actor.chat_type == "private":
        check_one_sided(view, chat_id)
    return end(view, chat_id)


def end(view: MemberView, chat_id: int, *, left_id: int | None = None) -> ChatDeleted:
    """The end of the chat, unchecked; because the member `left_id` left, if that is not None."""
    chat = view.chat(chat_id)
    return ChatDeleted(
        chat_id, view.member_ids(chat_id), chat.name, chat.chat_type, left_id, unseen_by(view, chat_id)
    )
