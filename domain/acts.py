"""Acts on accounts: who acts, what is to become of the account, and what the audit says of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from domain.frozen import frozen
from domain.models import User

Action = Literal[
    "user_created",
    "user_renamed",
    "user_banned",
    "user_unbanned",
    "user_deleted",
    "admin_added",
    "admin_removed",
    "password_reset",
    "chat_deleted",
]
"""What the audit of the server calls the acts on accounts and chats."""


@frozen
class Act:
    """Who acts, and when. `actor_id` is None for the command line and for the server itself. `audited` is False for a
    part of an act that has an entry of its own."""

    actor_id: int | None
    at: datetime
    audited: bool = True


@frozen
class AccountUpdate:
    """What is to become of an account. None leaves a field as it is. `deleted` ends the account for good."""

    is_admin: bool | None = None
    banned: bool | None = None
    display_name: str | None = None
    deleted: bool = False


@frozen
class AuditDraft:
    """One entry for the audit, without its place in it."""

    act: Act
    action: Action
    user_id: int | None = None
    detail: str | None = None


def drafts_of(before: User, after: User, act: Act) -> Sequence[AuditDraft]:
    """What the audit says of a change of an account; nothing of an act that is not audited."""
    if not act.audited:
        return ()
    if after.deleted:
        return [AuditDraft(act, "user_deleted", after.id, before.username)]
    found: list[AuditDraft] = []
    if after.display_name != before.display_name:
        found.append(AuditDraft(act, "user_renamed", after.id, after.display_name))
    if after.banned != before.banned:
        found.append(AuditDraft(act, "user_banned" if after.banned else "user_unbanned", after.id))
    if after.is_admin != before.is_admin:
        found.append(AuditDraft(act, "admin_added" if after.is_admin else "admin_removed", after.id))
    return found


UNAUDITED = Act(None, datetime.min, audited=False)
"""For changes of which somebody else makes the entry, or that need none."""
