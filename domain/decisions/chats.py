"""Creating, changing and deleting chats."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.changes import ChatCreated, ChatDeleted, ChatRenamed, ChatSettingsChanged
from domain.decisions.accounts import check_known, is_active
from domain.decisions.view import MemberView
from domain.models import Chat, ChatState, ChatType, Member
from domain.permissions import check_delete_chat, check_make_public, check_rename
from domain.refusals import NotFound, UnknownUsers


def create(
    view: MemberView,
    name: str | None,
    chat_type: ChatType,
    owner_id: int,
    member_ids: Collection[int],
    created_at: datetime,
    *,
    is_public: bool = False,
) -> ChatCreated | tuple[Chat, bool]:
    """A new chat of the owner and the members, who may contain the owner; two users share one private chat, which is
    returned with False if it exists.

    Raises: `UnknownUsers`, for an owner who is banned too.
    """
    user_ids = sorted({owner_id, *member_ids})
    check_known(view, user_ids)
    if not is_active(view, owner_id):  # banned since they asked for it: a chat needs an owner who counts
        raise UnknownUsers([owner_id])
    if chat_type == "private":
        chat = view.private_chat(user_ids)
        if chat is not None:
            return chat, False
    members = {
        user_id: Member(user_id, "owner" if user_id == owner_id else "member", created_at)
        for user_id in user_ids
    }
    chat = Chat(
        view.next_chat_id(),
        name,
        chat_type,
        created_at,
        owner_id,
        head_seq=0,
        member_count=len(members),
        is_public=is_public,
    )
    return ChatCreated(ChatState(chat, members))


def change(
    view: MemberView,
    chat_id: int,
    user_id: int,
    at: datetime,
    *,
    name: str | None = None,
    is_public: bool | None = None,
) -> ChatRenamed | ChatSettingsChanged | Chat:
    """The chat with all that is given (not None) changed, or nothing of it; as it is if it has these values.

    Raises: `NotFound`; `Forbidden`.
    """
    actor = view.actor(chat_id, user_id)
    if name is not None:
        check_rename(actor)
    if is_public is not None:
        check_make_public(actor)
    chat = view.chat(chat_id)
    given: dict[str, Any] = {"name": name, "is_public": is_public}
    changed = {
        field: value for field, value in given.items() if value is not None and value != getattr(chat, field)
    }
    if not changed:
        return chat
    chat = replace(chat, **changed)
    if changed.keys() == {"name"}:  # the kind that nodes of every version know
        return ChatRenamed(chat, user_id, at)
    return ChatSettingsChanged(chat, tuple(changed), user_id, at)


def delete(view: MemberView, chat_id: int, user_id: int) -> ChatDeleted:
    """The end of the chat. Raises: `NotFound`; `Forbidden`."""
    check_delete_chat(view.actor(chat_id, user_id))
    return end(view, chat_id)


def delete_any(view: MemberView, chat_id: int) -> ChatDeleted:
    """The end of the chat, for an admin of the server. Raises: `NotFound`."""
    if view.find_chat(chat_id) is None:
        raise NotFound(f"chat {chat_id}")
    return end(view, chat_id)


def end(view: MemberView, chat_id: int, *, left_id: int | None = None) -> ChatDeleted:
    """The end of the chat, unchecked; because the member `left_id` left, if that is not None."""
    chat = view.chat(chat_id)
    return ChatDeleted(chat_id, view.member_ids(chat_id), chat.name, chat.chat_type, left_id)
