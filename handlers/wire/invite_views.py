"""Invites on the wire: for those who make them, and for those who have a code."""

from typing import NotRequired, TypedDict

from domain.invites import Invite, InviteView
from domain.models import Chat, ChatType
from handlers.wire.file_links import avatar_url
from handlers.wire.views import Count, Id, Time, View, optional_time_view, time_view


class InviteObject(TypedDict):
    """An invite, for those who may make one. `expires_at` is null for one that does not expire, `max_uses` 0 for any
    number of uses. `url` is the page of the web client for it."""

    code: str
    url: str
    chat_id: Id | None
    created_by: Id
    created_at: Time
    expires_at: Time | None
    max_uses: Count
    uses: Count


class InvitedChatObject(TypedDict):
    """`avatar_url` is there if the chat has an avatar; getting that needs no token either."""

    name: str | None
    chat_type: ChatType
    member_count: Count
    avatar_url: NotRequired[str]


class InviterObject(TypedDict):
    display_name: str


class OfferedInviteObject(TypedDict):
    """An invite, for those who have its code. `chat` is null for an invite to the server."""

    code: str
    chat: InvitedChatObject | None
    invited_by: InviterObject


def invite_view(invite: Invite, base_url: str) -> View:
    """An `InviteObject`."""
    return {
        "code": invite.code,
        "url": f"{base_url}/invite/{invite.code}",
        "chat_id": invite.chat_id,
        "created_by": invite.created_by,
        "created_at": time_view(invite.created_at),
        "expires_at": optional_time_view(invite.expires_at),
        "max_uses": invite.max_uses,
        "uses": invite.uses,
    }


def offered_invite_view(offered: InviteView) -> View:
    """An `OfferedInviteObject`."""
    return {
        "code": offered.invite.code,
        "chat": None if offered.chat is None else _invited_chat_view(offered.chat),
        "invited_by": {"display_name": offered.maker.display_name},
    }


def _invited_chat_view(chat: Chat) -> View:
    view: View = {"name": chat.name, "chat_type": chat.chat_type, "member_count": chat.member_count}
    picture = avatar_url(chat.avatar_id)
    if picture is not None:
        view["avatar_url"] = picture
    return view
