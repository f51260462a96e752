"""Ends connections when their tokens expire."""

import heapq

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection, Connections
from handlers.live.hub import Hub
from handlers.live.tokens import NEVER
from handlers.wire import events
from handlers.wire.endings import Ending, Refused

WARN_BEFORE_S = 60

CHECK_EVERY_S = 30.0
"""The longest time between two checks of the wall clock. Tokens expire by the wall clock, but timers run on the
monotonic one, which stands still while the machine is suspended."""

STEP_BACK_S = 1.0
"""A wall clock that falls back by more than this has been set."""

SPARE = 64
"""With more entries than two for each connection, and these, those that are of no use are swept out."""


class TokenExpiry:
    """Warns every connection a minute before its token expires, and ends it when the token does. One timer for all."""

    def __init__(self, hub: Hub, clock: Clock, connections: Connections) -> None:
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._due: list[tuple[float, str, float]] = []
        """A heap of: when to check, the id of the connection, and the expiry of its token when the entry was made. A
        connection with another expiry has a new token, and another entry."""
        self._timer: Timer | None = None
        self._wall_ahead_s = self._wall_is_ahead_s()
        """How far the wall clock was ahead of the monotonic one at the last check."""

    def watch(self, connection: Connection) -> None:
        """Called for a new connection, and for one with a new token."""
        if len(self._due) > 2 * len(self._connections) + SPARE:
            self._forget_the_gone()
        if connection.expires_at == NEVER:
            return
        self._note(connection)
        if self._due[0][1] == connection.id:
            self._set_timer()

    def check(self, connection: Connection) -> None:
        """Called before every command, for the timer may be late. Raises: `Refused` if the connection's token has
        expired; then all connections with expired tokens end."""
        if connection.expires_at <= self._clock.unix_s():
            self.check_due()
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token has expired")

    def stop(self) -> None:
        self._due.clear()
        self._set_timer()

    def check_due(self) -> None:
        """Ends and warns the connections that are due."""
        self._check_for_step_back()
        now = self._clock.now()
        while self._due and self._due[0][0] <= now.timestamp():
            _, connection_id, expires_at = heapq.heappop(self._due)
            connection = self._connections.get(connection_id)
            if connection is None or connection.expires_at != expires_at:
                continue
            left_s = expires_at - now.timestamp()
            if left_s <= 0:
                self._hub.end(connection.id, Ending.UNAUTHENTICATED)
            else:
                name, payload = events.token_expiring(round(left_s), now)
                self._hub.emit(name, payload, room=connection.id)
                heapq.heappush(self._due, (expires_at, connection.id, expires_at))
        self._set_timer()

    def _note(self, connection: Connection) -> None:
        expires_at = connection.expires_at
        heapq.heappush(self._due, (expires_at - WARN_BEFORE_S, connection.id, expires_at))

    def _forget_the_gone(self) -> None:
        """Drops the entries of connections that are gone and of tokens that were replaced. Tokens outlive most
        connections, so these entries would pile up."""
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
            self._timer = self._clock.call_later(min(wait_s, CHECK_EVERY_S), self.check_due)

    def _check_for_step_back(self) -> None:
        """Notes all connections anew if the wall clock was set back, so that each is warned a minute before its end."""
        ahead_s = self._wall_is_ahead_s()
        if ahead_s < self._wall_ahead_s - STEP_BACK_S:
            self._due.clear()
            for connection in self._connections.all():
                if connection.expires_at != NEVER:
                    self._note(connection)
        self._wall_ahead_s = ahead_s

    def _wall_is_ahead_s(self) -> float:
        return self._clock.unix_s() - self._clock.monotonic()
