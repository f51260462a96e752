"""The life of a connection: coming in, staying as long as the token is good, going."""

import heapq
from collections.abc import Callable

from handlers import events
from handlers.clock import Clock, Timer
from handlers.connections import Connection, Connections
from handlers.context import Caller, Context
from handlers.endings import Ending, Refused
from handlers.errors import ChatError
from handlers.hub import Hub
from handlers.registry import Result, command
from handlers.shapes import Text
from storage.frozen import frozen

WARN_BEFORE_S = 60

LOOK_EVERY_S = 30.0
"""Tokens end by the wall clock and timers run on the monotonic one, which stands still while the machine is suspended:
at the latest after this long of the one the other is looked at."""

STEP_BACK_S = 1.0
"""If the wall clock falls back by more than this, somebody has set it."""

SPARE = 64
"""So many entries that are of no use any more, and two for each connection, are not worth a sweep."""


class TokenLives:
    """Warns every connection a minute before its token ends, and ends it when the token does. One timer for all.

    `end` takes a connection out of everything in the same turn: `handlers.house.House` has it.
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


@frozen
class RefreshToken:
    token: Text


@command("refresh_token", RefreshToken, socket=True, limit="queries")
async def refresh_token(context: Context, caller: Caller, wish: RefreshToken) -> Result:
    """Puts a fresh access token of the same user in place of the connection's; the connection goes on."""
    connection = caller.connected()
    identity = await context.identities.of(wish.token)
    if identity.user_id != caller.user_id:
        raise ChatError("forbidden", "the token is of another user")
    context.connections.check(connection)
    connection.session_id = identity.session_id
    if connection.expires_at != identity.expires_at:
        connection.expires_at = identity.expires_at
        context.lives.watch(connection)
    return {"token_expires_in": int(identity.expires_at - context.clock.now().timestamp())}


@frozen
class Ping:
    pass


@command(
    "ping",
    Ping,
    socket=True,
    unlimited="it tells nobody but the one who asks, and costs less than counting it",
)
async def ping(context: Context, caller: Caller, _wish: Ping) -> Result:
    """Answers `pong`; the documented client asks now and then, nobody has to."""
    name, payload = events.pong(context.clock.now())
    context.hub.emit(name, payload, room=caller.connected().id)
    return {}
