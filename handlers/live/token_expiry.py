"""Connections end when their token does."""

import heapq
from collections.abc import Callable

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection, Connections
from handlers.live.hub import Hub
from handlers.wire import events
from handlers.wire.endings import Ending, Refused

WARN_BEFORE_S = 60

LOOK_EVERY_S = 30.0
"""Tokens end by the wall clock and timers run on the monotonic one, which stands still while the machine is suspended:
at the latest after this long of the one the other is looked at."""

STEP_BACK_S = 1.0
"""If the wall clock falls back by more than this, somebody has set it."""

SPARE = 64
"""So many entries that are of no use any more, and two for each connection, are not worth a sweep."""


class TokenExpiry:
    """Warns every connection a minute before its token ends, and ends it when the token does. One timer for all.

    `end` takes a connection out of everything in the same turn: `handlers.chat_app.ChatApp` has it.
    """

    def __init__(
        self, hub: Hub, clock: Clock, connections: Connections, end: Callable[[Connection, Ending], None]
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._end = end
        self._due: list[tuple[float, str, float]] = []
        """When to look, at which connection, and when its token ended when that was noted: it may have another now."""
        self._timer: Timer | None = None
        self._wall_ahead_s = self._wall_is_ahead_s()
        """By how much the wall clock was ahead of the monotonic one at the last look."""

    def watch(self, connection: Connection) -> None:
        """Called when a connection comes, and when it has a new token."""
        if len(self._due) > 2 * len(self._connections) + SPARE:
            self._forget_the_gone()
        self._note(connection)
        if self._due[0][1] == connection.id:
            self._set_timer()

    def check(self, connection: Connection) -> None:
        """Called before every command. Raises: `Refused` if the token has ended, whatever the timer says; then all
        connections with such a token end now."""
        if connection.expires_at <= self._clock.unix_s():
            self.look()
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token has expired")

    def stop(self) -> None:
        self._due.clear()
        self._set_timer()

    def look(self) -> None:
        """Ends and warns those whose time has come."""
        self._look_for_a_step_back()
        now = self._clock.now()
        while self._due and self._due[0][0] <= now.timestamp():
            _, connection_id, expires_at = heapq.heappop(self._due)
            connection = self._connections.get(connection_id)
            if connection is None or connection.expires_at != expires_at:
                continue
            left_s = expires_at - now.timestamp()
            if left_s <= 0:
                self._end(connection, Ending.UNAUTHENTICATED)
            else:
                name, payload = events.token_expiring(round(left_s), now)
                self._hub.emit(name, payload, room=connection.id)
                heapq.heappush(self._due, (expires_at, connection.id, expires_at))
        self._set_timer()

    def _note(self, connection: Connection) -> None:
        expires_at = connection.expires_at
        heapq.heappush(self._due, (expires_at - WARN_BEFORE_S, connection.id, expires_at))

    def _forget_the_gone(self) -> None:
        """Tokens outlive connections by far, and a connection may have had many: without this, all would be kept."""
        self._due = list({entry for entry in self._due if self._is_due(*entry)})
        heapq.heapify(self._due)

    def _is_due(self, _at: float, connection_id: str, expires_at: float) -> bool:
        connection = self._connections.get(connection_id)
        return connection is not None and connection.expires_at == expires_at

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            wait_s = max(0.0, self._due[0][0] - self._clock.unix_s())
            self._timer = self._clock.call_later(min(wait_s, LOOK_EVERY_S), self.look)

    def _look_for_a_step_back(self) -> None:
        """If the wall clock was set back, those who have been warned are to be warned again in time."""
        ahead_s = self._wall_is_ahead_s()
        if ahead_s < self._wall_ahead_s - STEP_BACK_S:
            self._due.clear()
            for connection in self._connections.all():
                self._note(connection)
        self._wall_ahead_s = ahead_s

    def _wall_is_ahead_s(self) -> float:
        return self._clock.unix_s() - self._clock.monotonic()
