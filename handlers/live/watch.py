"""What other servers on the same store, or the command line beside it, do to accounts is noticed here."""

import asyncio
from collections.abc import Sequence

import structlog

from domain import changes
from domain.changes import Observer
from domain.models import User
from handlers.context import Context
from handlers.live.clock import Timer
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

LOOK_EVERY_S = 5.0
"""So much later, at most, a ban or deletion written elsewhere counts here."""

LOOK_AT_ONCE = 500


class AccountWatch:
    """Looks at the accounts of all who are connected, now and then, and forgets those of all others, so that their next
    use looks into the store. `told` gets what has changed, as the store would tell it."""

    def __init__(self, context: Context, told: Observer) -> None:
        self._context = context
        self._told = told
        self._timer: Timer | None = None
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Looks from now on; without this nothing is looked at, as on a store that nobody shares."""
        self._timer = self._context.clock.call_later(LOOK_EVERY_S, self._begin)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    def _begin(self) -> None:
        self._looking = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        connections = self._context.connections.all()
        user_ids = list({connection.user_id for connection in connections})
        self._context.identities.forget_but(
            set(user_ids), {connection.session_id for connection in connections if connection.session_id}
        )
        try:
            for start in range(0, len(user_ids), LOOK_AT_ONCE):
                await self._look_at(user_ids[start : start + LOOK_AT_ONCE])
        except Unavailable:
            pass  # whoever needs the store says so
        except Exception:
            log.exception("looking at accounts failed")
        self.start()

    async def _look_at(self, user_ids: Sequence[int]) -> None:
        users = await self._context.store.users.get_many(user_ids)
        told = [changes.UserChanged(user, shown=True) for user in users.values() if self._is_news(user)]
        if told:
            self._told(told)

    def _is_news(self, user: User) -> bool:
        """Whether others see a user who is connected otherwise than was known here."""
        known = self._context.identities.peek_user(user.id)
        if known is None or not user.active:
            return not user.active  # whoever is connected has not been ended yet
        return (known.active, known.display_name) != (user.active, user.display_name)
