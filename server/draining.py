"""Going away in order: first no proxy sends anybody new, then the connections end, spread over time.

A client that is ended connects to another node at once, and costs it a handshake and a join with a replay. So a node
with others ends its connections one after the other, and each client is away for about a second. A node that is alone
ends all at once and tells each when to come back: nobody can serve them before it has started again.
"""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from domain.frozen import frozen
from handlers.chat_app import ChatApp
from handlers.wire.errors import ChatError
from server.config import SHUTDOWN_LEAST_S
from server.engine import AsyncServer
from server.engine_hub import EngineHub

log = structlog.get_logger("vestnik")

DRAIN_S = 3.0
"""The default of the setting for a node with others: a proxy that checks every second has noticed."""

RETURNS_PER_S = 200
"""How many clients a second one node can let in beside its other work: each takes it about a millisecond."""

RETRY_SPREAD_S = 1.0
RETRY_SPREAD_MAX_S = 60.0
"""Clients that are ended in turn come back spread over such a time."""

TICK_S = 0.05

ENDED_S = 2.0
"""How long the peers of connections that were ended in turn may take to notice, at most: the close timeout."""


@frozen
class Endings:
    """`spread_s`: over which time the connections end. `retry_spread_s`: over which time they come back after that."""

    spread_s: float
    retry_spread_s: float


def unready_s(setting_s: float | None, stop_s: float, others: int) -> float:
    """How long a node that is asked to stop serves on while it is not ready: the setting DRAIN_S, by default nothing
    for a node that is alone. `stop_s`: the time for the whole stop."""
    wanted_s = setting_s if setting_s is not None else DRAIN_S if others else 0.0
    return max(0.0, min(wanted_s, stop_s - SHUTDOWN_LEAST_S))


def endings(connections: int, others: int, left_s: float) -> Endings:
    """How a node with others ends its connections, with so much time left for the whole stop: slowly enough for the
    others. What does not fit into the time is added to the time in which clients come back."""
    needed_s = connections / (RETURNS_PER_S * others)
    spread_s = max(0.0, min(needed_s, left_s - ENDED_S - SHUTDOWN_LEAST_S))
    retry_spread_s = max(RETRY_SPREAD_S, min(needed_s - spread_s, RETRY_SPREAD_MAX_S))
    return Endings(spread_s, retry_spread_s)


@frozen
class Crowd:
    """Connections that can be ended some at a time: how many there are, and what ends so many of them."""

    count: Callable[[], int]
    end: Callable[[int], None]


class Draining:
    """The state of a stop that has begun, for probes and for newcomers.

    `drain_s`: the setting DRAIN_S, None if it is not set.
    """

    def __init__(self, sio: AsyncServer, hub: EngineHub, drain_s: float | None) -> None:
        self.going_away = False
        self.others: Callable[[], int] = lambda: 0
        """How many other nodes live."""
        self.crowds: list[Crowd] = []
        """What ends in turn, besides the connections of the chat."""
        self._sio = sio
        self._hub = hub
        self._drain_s = drain_s
        self._has_others = False
        self._ends_connections = False

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses new sockets while connections end in turn, so that a proxy tries the next node. Closes connections
        after their answer, because a proxy would send the next request on one that is about to be closed; not those of
        polling clients if there is no other node, because they may fetch their last packets when no new connection is
        accepted any more. Raises: `ChatError` `unavailable`."""
        if not self.going_away:
            return await handler(request)
        is_polling = request.path.startswith("/socket.io")
        opens_socket = request.path == "/ws" or (is_polling and "sid" not in request.query)
        if self._ends_connections and opens_socket:
            raise ChatError("unavailable", "the server is going away", retry_after_ms=1000)
        answer = await handler(request)
        if isinstance(answer, web.Response) and (self._has_others or not is_polling):
            answer.force_close()
        return answer

    async def run(self, chat_app: ChatApp, stop_s: float) -> None:
        """Drains the server; returns when everybody who is still connected has to be ended. `stop_s`: the time for the
        whole stop."""
        clock = asyncio.get_running_loop().time
        until = clock() + stop_s
        others = self.others()
        serves_on_s = unready_s(self._drain_s, stop_s, others)
        self.going_away, self._has_others = True, others > 0
        log.info(
            "going away", connections=chat_app.connection_count, other_nodes=others, serves_on_s=serves_on_s
        )
        await asyncio.sleep(serves_on_s)
        others = self.others()
        if others:
            self._ends_connections = True
            crowds = [Crowd(lambda: chat_app.connection_count, chat_app.going_away), *self.crowds]
            plan = endings(sum(crowd.count() for crowd in crowds), others, until - clock())
            self._hub.retry_spread_ms = int(plan.retry_spread_s * 1000)
            await asyncio.gather(*(_end_in_turn(crowd, plan.spread_s) for crowd in crowds))
            await self._sio.eio.wait_closed()  # clients that poll fetch the reason over new connections


async def _end_in_turn(crowd: Crowd, spread_s: float) -> None:
    clock = asyncio.get_running_loop().time
    until = clock() + spread_s
    due = 0.0
    while (count := crowd.count()) and (left_s := until - clock()) > 0:
        due += count * min(1.0, TICK_S / left_s)
        crowd.end(int(due))
        due %= 1
        await asyncio.sleep(TICK_S)


DRAINING = web.AppKey("draining", Draining)
