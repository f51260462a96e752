"""Who comes into a chat, who goes, and who becomes what."""

from dataclasses import replace
from datetime import datetime

from domain.changes import ChatDeleted, MemberAdded, MemberRemoved, RoleChanged
from domain.decisions.accounts import check_known, is_active
from domain.decisions.chats import end
from domain.decisions.heirs import has_other_owner, heir_of
from domain.decisions.view import MemberView
from domain.models import Actor, Member, Role
from domain.permissions import check_add, check_remove, check_set_role
from domain.refusals import Duplicate, LastOwner, NotFound


def add(
    view: MemberView, chat_id: int, actor_id: int, user_id: int, role: Role, joined_at: datetime
) -> MemberAdded:
    """A new member, whose mark stands at the newest message.

    Raises, the first that holds: `NotFound`; `Forbidden`; `NotFound` if the actor is not active; `UnknownUsers`;
    `Duplicate("user_id")` for a member.
    """
    check_add(view.actor(chat_id, actor_id), role)
    if not is_active(view, actor_id):  # banned since they asked for it: the chat may be nobody's now
        raise NotFound(f"chat {chat_id}")
    check_known(view, [user_id])
    if view.member(chat_id, user_id) is not None:
        raise Duplicate("user_id")
    return MemberAdded(chat_id, new_member(view, chat_id, user_id, role, joined_at), actor_id)


def new_member(view: MemberView, chat_id: int, user_id: int, role: Role, joined_at: datetime) -> Member:
    """A member as they come into the chat: their mark stands at the newest message."""
    member, newest = Member(user_id, role, joined_at), view.newest(chat_id)
    if newest is None:
        return member
    return replace(member, read_seq=newest.seq, last_read_message_id=newest.id)


def set_role(
    view: MemberView, chat_id: int, actor_id: int, user_id: int, role: Role, at: datetime
) -> RoleChanged | Member:
    """The member in another role; as they are if they have it.

    Raises, the first that holds: `NotFound`, also if `user_id` is no member; `Forbidden`; `LastOwner`.
    """
    actor, target = _actor_and_target(view, chat_id, actor_id, user_id)
    check_set_role(actor)
    if target.role == role:
        return target
    if target.role == "owner" and not has_other_owner(view, chat_id, user_id):
        raise LastOwner(f"chat {chat_id} has no active owner but user {user_id}")
    return RoleChanged(chat_id, replace(target, role=role), None, actor_id, at)


def remove(
    view: MemberView, chat_id: int, actor_id: int, user_id: int, at: datetime
) -> MemberRemoved | ChatDeleted:
    """The member leaves, and another one inherits if they were the last owner. The chat is deleted if only members who
    never inherit would be left.

    Raises, the first that holds: `NotFound`, also if `user_id` is no member; `Forbidden`.
    """
    actor, target = _actor_and_target(view, chat_id, actor_id, user_id)
    check_remove(actor, target)
    heir = heir_of(view, chat_id, user_id)
    if heir is None:
        return end(view, chat_id, left_id=user_id)
    inherits = target.role == "owner" and not has_other_owner(view, chat_id, user_id)
    owner = replace(heir, role="owner") if inherits else None
    return MemberRemoved(chat_id, user_id, owner, actor_id, view.chat(chat_id).name, at)


def _actor_and_target(view: MemberView, chat_id: int, actor_id: int, user_id: int) -> tuple[Actor, Member]:
    actor, target = view.actor(chat_id, actor_id), view.member(chat_id, user_id)
    if target is None:
        raise NotFound(f"user {user_id} in chat {chat_id}")
    return actor, target
