"""Notices what other servers on the same store, or the command line beside it, do to accounts."""

import asyncio
from collections.abc import Sequence

import structlog

from domain import changes
from domain.changes import Subscriber
from domain.models import User
from handlers.context import Context
from handlers.live.clock import Timer
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

POLL_EVERY_S = 5.0
"""The longest time until a ban or a deletion written elsewhere counts here."""

ACCOUNTS_PER_QUERY = 500


class AccountWatch:
    """Compares the accounts of all connected users with the store, every 5 s, and drops those of all others from
    memory, so that their next use loads them. `publish` is called with the changes, as a store would call it."""

    def __init__(self, context: Context, publish: Subscriber) -> None:
        self._context = context
        self._publish = publish
        self._timer: Timer | None = None
        self._polling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts to poll. The server calls this only on a store that others write to as well."""
        self._timer = self._context.clock.call_later(POLL_EVERY_S, self._begin)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait((self._polling,))

    def _begin(self) -> None:
        self._polling = asyncio.ensure_future(self._poll())

    async def _poll(self) -> None:
        connections = self._context.connections.all()
        user_ids = list({connection.user_id for connection in connections})
        self._context.identities.forget_but(
            set(user_ids), {connection.session_id for connection in connections if connection.session_id}
        )
        try:
            for start in range(0, len(user_ids), ACCOUNTS_PER_QUERY):
                await self._poll_accounts(user_ids[start : start + ACCOUNTS_PER_QUERY])
        except Unavailable:
            pass  # commands that need the store report it
        except Exception:
            log.exception("polling accounts failed")
        self.start()

    async def _poll_accounts(self, user_ids: Sequence[int]) -> None:
        users = await self._context.store.users.get_many(user_ids)
        changed = [
            changes.UserChanged(user, shown=True) for user in users.values() if self._has_changed(user)
        ]
        if changed:
            self._publish(changed)

    def _has_changed(self, user: User) -> bool:
        """Whether others would see a connected user differently than memory has it."""
        known = self._context.identities.peek_user(user.id)
        if known is None or not user.active:
            return not user.active  # they are connected, so their connections have not been ended yet
        return (known.active, known.display_name) != (user.active, user.display_name)
