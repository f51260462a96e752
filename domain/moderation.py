"""Mutes and bans: the changes by which members lose and get their voice, and users their way into a chat."""

from dataclasses import field
from datetime import datetime

from domain.changes import Change, change
from domain.models import Ban, Member


@change("muted", logged=True, since=2)
class MemberMuted(Change):
    """A member may not write until `member.muted_until`; may write again, if that is None."""

    chat_id: int
    member: Member
    actor_id: int
    at: datetime


@change("banned", logged=True, since=2)
class UserBanned(Change):
    """A user may not come into the chat any more, and is no longer a member if they were one (`was_member`). `name` is
    that of the chat."""

    chat_id: int
    ban: Ban
    was_member: bool
    name: str | None = field(default=None, compare=False)

    @property
    def user_id(self) -> int:
        return self.ban.user_id


@change("unbanned", logged=True, since=2)
class UserUnbanned(Change):
    """A user may come into the chat again, and is not in it."""

    chat_id: int
    user_id: int
    actor_id: int
    at: datetime
