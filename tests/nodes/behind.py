"""A node that a test puts behind others that do not exist."""

import asyncio
from collections.abc import Callable

from handlers.live.freshness import CAUGHT_UP_WITHIN_S, Freshness
from storage.errors import Unavailable
from tests.conftest import Server
from tests.patience import within


class Behind(Freshness):
    """A `Freshness` that a test turns. `news` is called in each look: what other nodes have done. `news_of_accounts` is
    called in each look at accounts."""

    def __init__(self) -> None:
        self.is_stale = False
        self.looks = 0
        self.away = False
        self.news: Callable[[], None] = lambda: None
        self.news_of_accounts: Callable[[], None] = lambda: None
        self.release: Callable[[], None] = lambda: None
        self._looked = asyncio.Event()

    @property
    def shared(self) -> bool:
        return True

    @property
    def stale(self) -> bool:
        return self.is_stale

    async def look(self) -> None:
        self.looks += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away")
        self.news()

    async def look_at_accounts(self) -> None:
        await self.caught_up()
        self.news_of_accounts()

    async def caught_up(self) -> None:
        try:
            async with within(CAUGHT_UP_WITHIN_S):
                while self.is_stale:
                    await self._looked.wait()
        except TimeoutError:
            raise Unavailable("behind") from None

    def fall_behind(self) -> None:
        self._looked.clear()
        self.is_stale = True

    def catch_up(self) -> None:
        """A look is complete: the node learns what others did, and goes on."""
        self.news()
        self.is_stale = False
        self._looked.set()
        self.release()


def put_behind(server: Server) -> Behind:
    """Gives the node a `Behind`, in place of the freshness of a store that only this node writes."""
    behind = Behind()
    context = server.chat_app.context
    context.freshness = context.directory._freshness = context.identities._freshness = behind  # type: ignore[misc]
    context.hub.hold_while(behind)  # type: ignore[attr-defined]
    behind.release = context.hub.release  # type: ignore[attr-defined]
    return behind
