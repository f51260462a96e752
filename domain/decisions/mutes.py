"""Who may not write in a chat for some time."""

from dataclasses import replace
from datetime import datetime

from domain.decisions.view import MemberView
from domain.models import Member
from domain.moderation import MemberMuted
from domain.permissions import check_moderate
from domain.refusals import NotFound


def mute(
    view: MemberView, chat_id: int, actor_id: int, user_id: int, until: datetime | None, at: datetime
) -> MemberMuted | Member:
    """The member, muted until a time, or not at all if that is None or over; as they are if that changes nothing.

    Raises, the first that holds: `NotFound`, also if `user_id` is no member; `Forbidden`.
    """
    actor, target = view.actor(chat_id, actor_id), view.member(chat_id, user_id)
    if target is None:
        raise NotFound(f"user {user_id} in chat {chat_id}")
    check_moderate(actor, target)
    muted_until = _future(until, at)
    if muted_until == _future(target.muted_until, at):
        return replace(target, muted_until=muted_until)
    return MemberMuted(chat_id, replace(target, muted_until=muted_until), actor_id, at)


def _future(until: datetime | None, at: datetime) -> datetime | None:
    return None if until is None or until <= at else until
