"""Sessions that other nodes hold: for nodes behind a proxy that gives each request to any of them."""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from aiohttp import web

from .budget import Budget
from .http_answers import Headers


class Body(NamedTuple):
    """The body of a POST: how many bytes it has, None if the request does not say so, and its parts as they come."""

    size: int | None
    parts: AsyncIterator[bytes]


class ForeignSessions(Protocol):
    """What `EngineServer.foreign` asks about the sessions of other nodes."""

    def new_sid(self) -> str:
        """The sid of a new session here. It has to be unguessable, and other nodes have to see from it whose session
        it is."""

    def budget_of(self, sid: str) -> Budget | None:
        """The budget that requests for another node's session count against here; None if they count against that of
        their address."""

    async def answer(
        self, request: web.Request, sid: str, headers: Headers, *, websocket: bool
    ) -> web.StreamResponse | None:
        """The answer to a GET or POST for a session that is not here, or None if no other node has it. The headers
        have to be in the answer. With `websocket` the request is the handshake of an upgrade."""

    def body_of(self, request: web.Request) -> Body:
        """The body of a POST for a session here, which another node may have passed on."""
