"""The part of the interface of a store that is about hooks. What `storage.ports` says of all methods holds here."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from domain.hooks import Delivery, Hook, HookState, HookUpdate, OutgoingHook
from domain.models import Appended, Draft
from storage.promise import Promise


class Hooks(Protocol):
    """Hooks of groups and channels, each with a user of its own. The admins and owners of a chat manage its hooks. A
    hook is removed with its chat."""

    # For those who manage them

    async def create(self, hook: Hook, *, key_hash: str | None = None, secret: str | None = None) -> Hook:
        """Adds a hook, whose `id` and `user_id` the store gives, and its user. An incoming hook has a key, of which the
        store knows the hash; an outgoing one has a secret, and begins after the last change of the chat.

        Raises: `NotFound` if the maker is not in the chat, or not active; `Forbidden`, in private chats too; `TooMany`
        above `HOOKS_MAX`, which is exact: of calls at once, on any node, as many succeed as there is room for.
        """

    async def of_chat(self, chat_id: int, user_id: int) -> Sequence[HookState]:
        """The hooks of the chat by id, for one who manages it. Raises: `NotFound`; `Forbidden`."""

    async def get(self, hook_id: int) -> HookState | None:
        """The hook; None if there is none."""

    async def change(self, hook_id: int, user_id: int, update: HookUpdate, at: datetime) -> HookState:
        """Changes a hook by all of the update. With `paused=False` a paused hook goes on: a user who resumes one whose
        maker does not manage the chat becomes its maker. Its failures are forgotten then, and if it is more than
        `BEHIND_MAX` changes behind it goes on from the last change of the chat.

        Raises: `NotFound` if there is no such hook, or the user is not in its chat; `Forbidden`.
        """

    async def renew_key(
        self,
        hook_id: int,
        user_id: int,
        at: datetime,
        *,
        key_hash: str | None = None,
        secret: str | None = None,
    ) -> HookState:
        """Gives the hook another key or secret; the one that it had is worth nothing any more. Raises: as `change`."""

    async def remove(self, hook_id: int, user_id: int, at: datetime) -> None:
        """Removes the hook, and ends its user; its messages stay. Raises: as `change`."""

    # For those who write

    async def by_key(self, key_hash: str) -> HookState | None:
        """The incoming hook with this key; None if there is none."""

    def post(self, hook_id: int, draft: Draft) -> Promise[Appended]:
        """Queues a message by the user of the hook, to the chat of the hook: `chat_id` and `sender_id` of the draft are
        theirs. Being a member, slow mode and the kind of the chat do not matter. A repeat of a `client_id` changes
        nothing and returns the first message, or its tombstone. `@all` mentions nobody.

        The promise fails with `NotFound` if there is no such hook; `HookPaused`; `BadContent`;
        `BadReference("reply_to")`.
        """

    # For the delivery

    async def outgoing(self, *, after_id: int = 0, limit: int) -> Sequence[OutgoingHook]:
        """The outgoing hooks of all chats with an id above `after_id`, by id, at most `limit`, paused ones too."""

    async def outgoing_hook(self, hook_id: int) -> OutgoingHook | None:
        """The outgoing hook as it is now; None if there is none."""

    async def take(self, hook_id: int, living: Collection[str]) -> int | None:
        """Takes the delivery of a hook for this node. `living` are the incarnations (`storage.node_ports`) that are not
        known to be dead or to have ended, with this one. Returns the number of the lease, which is higher than those of
        all leases of the hook before; the same one if this incarnation has it already. None if another one of `living`
        has it, or there is no such hook. Of calls at once, on any nodes, one gets the lease. On a store that only one
        node has open that node gets it always."""

    async def save_delivery(self, hook_id: int, lease: int, delivery: Delivery) -> bool:
        """Keeps how far the hook is. Returns whether the lease is still that of the hook and the hook is there: if not,
        nothing is kept, and the caller stops delivering."""
