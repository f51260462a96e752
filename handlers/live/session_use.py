"""When sessions were last used: in memory first, and now and then in the store."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import structlog

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connections
from storage.errors import Unavailable
from storage.ports import Sessions

log = structlog.get_logger("vestnik")

NOTED_EVERY_S = 300.0

CONNECTED_NOTED_EVERY = 12
"""Every how many times the sessions of all connections are noted too, which is once an hour: a connection may be open
for days."""

SESSIONS_PER_WRITE = 200

PAUSE_S = 0.1
"""The time between two writes."""

NOTED_AT_CLOSE_WITHIN_S = 1.0


class SessionUse:
    """A REST call uses its session, and so do the beginning and the end of a connection. What the store cannot take is
    lost."""

    def __init__(self, sessions: Sessions, clock: Clock, connections: Connections) -> None:
        self._sessions = sessions
        self._clock = clock
        self._connections = connections
        self._used: dict[str, datetime] = {}
        """What the store does not know yet."""
        self._timer: Timer | None = None
        self._noting: asyncio.Task[None] | None = None
        self._count = 0

    def used(self, session_id: str | None) -> None:
        """Called when a session is used; None: the token has none. Cheap."""
        if session_id is not None:
            self._used[session_id] = self._clock.now()
            if self._timer is None:
                self._timer = self._clock.call_later(NOTED_EVERY_S, self._begin)

    def last(self, session_id: str) -> datetime | None:
        """The last use that the store may not know yet."""
        return self._used.get(session_id)

    async def close(self) -> None:
        """Notes what is to be noted, as far as the store takes it in time."""
        if self._timer is not None:
            self._timer.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(NOTED_AT_CLOSE_WITHIN_S):
                if self._noting is not None:
                    await self._noting
                await self._note(self._used, pause_s=0)

    def _begin(self) -> None:
        self._timer = self._clock.call_later(NOTED_EVERY_S, self._begin)
        self._count += 1
        if self._count % CONNECTED_NOTED_EVERY == 0:
            now = self._clock.now()
            for connection in self._connections.all():
                if connection.session_id is not None:
                    self._used[connection.session_id] = now
        if self._noting is None or self._noting.done():
            self._noting = asyncio.ensure_future(self._note(self._used, pause_s=PAUSE_S))

    async def _note(self, used: Mapping[str, datetime], *, pause_s: float) -> None:
        """Notes these uses. Each is forgotten here once it is in the store, unless the session was used meanwhile."""
        try:
            items = list(used.items())
            for start in range(0, len(items), SESSIONS_PER_WRITE):
                if start and pause_s:
                    await self._clock.sleep(pause_s)
                some = dict(items[start : start + SESSIONS_PER_WRITE])
                await self._sessions.used(some)
                for session_id, at in some.items():
                    if self._used.get(session_id) == at:
                        del self._used[session_id]
        except Unavailable:
            self._used.clear()
        except Exception:
            log.exception("the last use of sessions could not be noted")
            self._used.clear()
