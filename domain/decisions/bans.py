"""Who may not come into a chat."""

from datetime import datetime

from domain.decisions.accounts import check_known, is_active
from domain.decisions.heirs import has_other_owner
from domain.decisions.view import MemberView
from domain.models import Ban
from domain.moderation import UserBanned, UserUnbanned
from domain.permissions import check_moderate, check_oversee
from domain.refusals import LastOwner, NotFound


def ban(
    view: MemberView, chat_id: int, actor_id: int, user_id: int, reason: str | None, at: datetime
) -> UserBanned | tuple[Ban, bool]:
    """The user is banned, member or not; the ban as it is and False, of a user who is banned already.

    Raises, the first that holds: `NotFound`; `Forbidden`; `NotFound` if the actor is not active; `UnknownUsers`;
    `LastOwner`.
    """
    actor, target = view.actor(chat_id, actor_id), view.member(chat_id, user_id)
    check_moderate(actor, target)
    if not is_active(view, actor_id):  # banned from the server since they asked for it
        raise NotFound(f"chat {chat_id}")
    check_known(view, [user_id])
    earlier = view.ban(chat_id, user_id)
    if earlier is not None:
        return earlier, False
    if target is not None and target.role == "owner" and not has_other_owner(view, chat_id, user_id):
        raise LastOwner(f"chat {chat_id} has no active owner but user {user_id}")
    return UserBanned(
        chat_id, Ban(user_id, reason, actor_id, at), target is not None, view.chat(chat_id).name
    )


def unban(view: MemberView, chat_id: int, actor_id: int, user_id: int, at: datetime) -> UserUnbanned | None:
    """The user may come in again; None if they are not banned. Raises: `NotFound`; `Forbidden`."""
    check_oversee(view.actor(chat_id, actor_id))
    if view.ban(chat_id, user_id) is None:
        return None
    return UserUnbanned(chat_id, user_id, actor_id, at)
