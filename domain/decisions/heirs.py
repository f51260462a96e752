"""Who owns a chat when its owner goes, or has an account that is no longer active.

Users who are not active do not count as owners and never inherit. Bots count as owners and never inherit.
"""

from dataclasses import replace
from datetime import datetime

from domain.changes import RoleChanged
from domain.decisions.accounts import is_active
from domain.decisions.view import MemberView
from domain.models import Member, Role
from domain.refusals import NotFound

_IN_ORDER: tuple[Role, ...] = ("owner", "admin", "member")


def has_other_owner(view: MemberView, chat_id: int, user_id: int) -> bool:
    """Whether the chat has an active owner besides this user."""
    owners = view.accounts_by_role(chat_id, "owner")
    return any(account.active and account.id != user_id for account in owners)


def heir_of(view: MemberView, chat_id: int, user_id: int) -> Member | None:
    """Who inherits from this user: an owner if there is one, else the oldest admin, else the oldest member. None if
    only users who never inherit are left."""
    for role in _IN_ORDER:
        for account in view.accounts_by_role(chat_id, role):
            if account.id != user_id and account.active and not account.is_bot:
                return view.member(chat_id, account.id)
    return None


def pass_on(view: MemberView, chat_id: int, user_id: int, at: datetime) -> RoleChanged | None:
    """A group or channel gets another owner and this one, who is no longer active, becomes a member. None if there is
    nothing to pass on, or nobody to inherit. In a private chat the roles stay, as the members do."""
    if not _owns(view, chat_id, user_id) or is_active(view, user_id):
        return None
    if has_other_owner(view, chat_id, user_id):
        return None
    owner, heir = view.member(chat_id, user_id), heir_of(view, chat_id, user_id)
    if owner is None or heir is None:
        return None
    return RoleChanged(
        chat_id, replace(owner, role="member"), replace(heir, role="owner"), actor_id=None, at=at
    )


def _owns(view: MemberView, chat_id: int, user_id: int) -> bool:
    """Whether the user owns the chat, which is a group or channel."""
    try:
        actor = view.actor(chat_id, user_id)
    except NotFound:  # they have left, or the chat is deleted
        return False
    return actor.role == "owner" and actor.chat_type != "private"
