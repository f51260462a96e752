"""Bans and entries of the audit as objects of the wire."""

from typing import NotRequired, TypedDict

from domain.acts import Action
from domain.audit import AuditEntry, ChatAction
from domain.models import Ban
from handlers.wire.views import Id, Time, UserObject, View, time_view


class BanObject(TypedDict):
    """`banned_by` is the id of the member who decided so."""

    user: UserObject
    reason: str | None
    banned_by: Id
    at: Time


class AuditEntryObject(TypedDict):
    """`actor_id` is null for acts of the command line, and where it is not known. The last three are there where there
    is something to say."""

    id: Id
    at: Time
    actor_id: Id | None
    action: ChatAction | Action
    user_id: NotRequired[Id]
    message_id: NotRequired[Id]
    detail: NotRequired[str]


def ban_view(ban: Ban, user: View) -> View:
    """A `BanObject`, around the view of its user."""
    return {"user": user, "reason": ban.reason, "banned_by": ban.banned_by, "at": time_view(ban.at)}


def audit_view(entry: AuditEntry) -> View:
    """An `AuditEntryObject`."""
    more = {"user_id": entry.user_id, "message_id": entry.message_id, "detail": entry.detail}
    return {
        "id": entry.id,
        "at": time_view(entry.at),
        "actor_id": entry.actor_id,
        "action": entry.action,
        **{name: value for name, value in more.items() if value is not None},
    }
