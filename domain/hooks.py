"""Hooks: how other programs write to a chat (incoming), and are told of it (outgoing)."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Literal

from domain.frozen import frozen
from domain.models import User

HookKind = Literal["incoming", "outgoing"]
HookEvent = Literal["new_message", "message_updated", "message_deleted"]

HOOK_EVENTS: Sequence[HookEvent] = ("new_message", "message_updated", "message_deleted")
"""The events of which an outgoing hook may tell, in the order in which hooks have them."""

HOOKS_MAX = 20
"""How many hooks a chat may have, those of both kinds together."""

BEHIND_MAX = 10_000
"""A hook that is resumed further behind than this number of changes goes on from the newest."""

HOOK_USERNAME = "hook:"
"""How the username of the user of a hook begins: no account that people make may have a colon in it."""


@frozen
class Hook:
    """A hook of a chat. What authenticates it, a key or a secret, is not part of this value.

    `user_id` is the user as whom it writes, which is its own, and `name` their display name. `created_by` is its maker:
    who made it or, if that user no longer managed the chat, who resumed it last. `paused`: a manager of the chat has
    paused it. The other fields are of outgoing hooks: `target_url` is where the events go, `include_bots` whether
    events of messages by bots go there too.
    """

    id: int
    chat_id: int
    kind: HookKind
    name: str
    user_id: int
    created_by: int
    created_at: datetime
    target_url: str | None = None
    events: Sequence[HookEvent] = ()
    include_bots: bool = False
    paused: bool = False


def user_of(hook: Hook) -> User:
    """The user of a hook that is there."""
    return User(
        hook.user_id,
        f"{HOOK_USERNAME}{hook.id}",
        hook.name,
        email=None,
        password_hash="",
        created_at=hook.created_at,
        is_bot=True,
        is_hook=True,
    )


@frozen
class Delivery:
    """How far an outgoing hook is.

    `position` is the number of the change of the chat up to which the hook is done. While deliveries fail, `attempts`
    counts the failed ones since the last success, `failing_since` is the time of the first one, `last_error` says in
    English what was wrong with the last one, and `next_try_at` is the time of the next. `stopped`: the server has given
    up, before the change after `position`, until somebody resumes the hook. `last_error` stays then.
    """

    position: int = 0
    attempts: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None
    next_try_at: datetime | None = None
    stopped: bool = False


@frozen
class HookState:
    """A hook as it is now. `delivery` is empty for an incoming hook. `has_maker`: its maker is an active admin or owner
    of the chat; else it is paused."""

    hook: Hook
    delivery: Delivery
    has_maker: bool

    @property
    def paused(self) -> bool:
        """Whether the hook neither writes nor delivers."""
        return self.hook.paused or self.delivery.stopped or not self.has_maker


@frozen
class OutgoingHook:
    """What the delivery needs. `secret` signs what is delivered."""

    state: HookState
    secret: str = field(repr=False)


@frozen
class HookUpdate:
    """What is to become of a hook. None leaves a field as it is."""

    name: str | None = None
    target_url: str | None = None
    events: Sequence[HookEvent] | None = None
    include_bots: bool | None = None
    paused: bool | None = None
