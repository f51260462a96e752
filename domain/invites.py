"""Invites: who has the code of one may join its chat, or register."""

from datetime import datetime

from domain.changes import Change, change
from domain.frozen import frozen
from domain.models import Chat, User

INVITES_MAX = 100
"""How many invites of a chat may work at a time."""

SERVER_INVITES_MAX = 1000
"""How many invites without a chat may work at a time, about."""


@frozen
class Invite:
    """A way into a chat; into the server, and no chat, if `chat_id` is None.

    It works until `expires_at` (None: for ever) and for `max_uses` uses (0: any number). `uses` counts those whom it
    let in, and those who are registering with it now. `ended`: somebody removed it, or its maker lost the right to
    invite.
    """

    code: str
    chat_id: int | None
    created_by: int
    created_at: datetime
    expires_at: datetime | None
    max_uses: int
    uses: int = 0
    ended: bool = False

    @property
    def used_up(self) -> bool:
        return 0 < self.max_uses <= self.uses

    def is_over(self, at: datetime) -> bool:
        """Whether it no longer works at this time, whoever made it, and however many have used it."""
        return self.ended or (self.expires_at is not None and self.expires_at <= at)


@frozen
class InviteView:
    """An invite that works, with what somebody who has its code may see. `chat` is None for one of the server."""

    invite: Invite
    chat: Chat | None
    maker: User


@frozen
class Use:
    """A use of an invite that is counted. `number` tells it from the others of the same invite."""

    code: str
    chat_id: int | None
    number: int


@change("invite_made", logged=True, since=2)
class InviteMade(Change):
    """A chat has a new invite."""

    invite: Invite

    @property
    def chat_id(self) -> int:
        assert self.invite.chat_id is not None
        return self.invite.chat_id

    @property
    def actor_id(self) -> int:
        """The maker."""
        return self.invite.created_by

    @property
    def at(self) -> datetime:
        return self.invite.created_at


@change("invite_removed", logged=True, since=2)
class InviteRemoved(Change):
    """An invite of a chat has ended because `actor_id` removed it."""

    chat_id: int
    code: str
    actor_id: int
    at: datetime
