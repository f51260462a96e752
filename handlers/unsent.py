"""A bound on all that waits unread for one user, over all their connections."""

from collections.abc import Callable

from handlers.clock import Clock, Timer
from handlers.connections import Connection, Connections
from handlers.endings import Ending
from handlers.hub import Hub

LOOK_EVERY_S = 1.0

CONNECTIONS_SPARED = 8
"""Users with no more connections are not looked at: each connection has a bound of its own."""


class UnsentWatch:
    """Looks once a second at users with many connections, and ends those connections that hold most, as too slow, until
    no more than `limit_bytes` (0: no bound) wait for a user."""

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        connections: Connections,
        *,
        limit_bytes: int,
        ended: Callable[[Connection, Ending], None],
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._limit_bytes = limit_bytes
        self._ended = ended
        self._timer: Timer | None = None

    def start(self) -> None:
        if self._limit_bytes:
            self._timer = self._clock.call_later(LOOK_EVERY_S, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self.start()
        for user_id in list(self._connections.users()):
            connections = self._connections.of(user_id)
            if len(connections) > CONNECTIONS_SPARED:
                self._bound(list(connections))

    def _bound(self, connections: list[Connection]) -> None:
        unread = {one.id: self._hub.unread_bytes(one.id) for one in connections}
        total = sum(unread.values())
        for one in sorted(connections, key=lambda one: unread[one.id], reverse=True):
            if total <= self._limit_bytes:
                return
            total -= unread[one.id]
            self._ended(one, Ending.TOO_SLOW)
