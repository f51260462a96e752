"""Acts on accounts: who acts, what is to become of the account, and what the audit says of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from domain.audit import AuditEntry
from domain.frozen import frozen
from domain.models import Chat, User

Action = Literal[
    "user_created",
    "user_renamed",
    "user_banned",
    "user_unbanned",
    "user_deleted",
    "admin_added",
    "admin_removed",
    "password_reset",
    "token_renewed",
    "chat_deleted",
]
"""What the audit of the server calls the acts on accounts and chats."""


@frozen
class Act:
    """Who acts, and when. `actor_id` is None for the command line and for the server itself.

    An act may have several parts. `audited` is False for those that leave no entry, `checked` True for those before
    which the right to act was checked.
    """

    actor_id: int | None
    at: datetime
    audited: bool = True
    checked: bool = False


@frozen
class AccountUpdate:
    """What is to become of an account. None leaves a field as it is. `deleted` ends the account for good.
    `follows_owner`, alone: a bot becomes what the account of its owner makes of it (`domain.decisions.bots`)."""

    is_admin: bool | None = None
    banned: bool | None = None
    display_name: str | None = None
    deleted: bool = False
    follows_owner: bool = False


FOLLOW_OWNER = AccountUpdate(follows_owner=True)

UNAUDITED = Act(None, datetime.fromtimestamp(0, UTC), audited=False)
"""For changes of which somebody else makes the entry, or that need none, and whose time does not matter."""


def entries_of_act(
    act: Act, action: Action, user_id: int | None = None, detail: str | None = None
) -> Sequence[AuditEntry]:
    """What the audit of the server says of an act, unnumbered; nothing of one that is not audited."""
    return [AuditEntry(0, act.at, act.actor_id, action, user_id, detail=detail)] if act.audited else ()


def entries_of_chat_deletion(chat: Chat, act: Act) -> Sequence[AuditEntry]:
    """What the audit of the server says when an admin deletes a chat, unnumbered."""
    return entries_of_act(act, "chat_deleted", detail=f"{chat.name or chat.chat_type} (chat {chat.id})")


def entries_of_update(before: User, after: User, act: Act) -> Sequence[AuditEntry]:
    """What the audit of the server says of a change of an account, unnumbered."""
    if after.deleted:
        return entries_of_act(act, "user_deleted", after.id, before.username)
    found: list[AuditEntry] = []
    if after.display_name != before.display_name:
        found += entries_of_act(act, "user_renamed", after.id, after.display_name)
    if after.banned != before.banned:
        found += entries_of_act(act, "user_banned" if after.banned else "user_unbanned", after.id)
    if after.is_admin != before.is_admin:
        found += entries_of_act(act, "admin_added" if after.is_admin else "admin_removed", after.id)
    return found
