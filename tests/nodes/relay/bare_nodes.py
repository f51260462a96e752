"""Nodes that echo, without a chat, that hand requests on to each other."""

from typing import Any

import aiohttp
from aiohttp import web

from server.engine import AsyncServer, EngineServer
from server.http_counts import HttpCounts
from server.keys import HTTP_COUNTS
from server.middlewares import answer_errors, send_in_time
from server.nodes.relay import Relay
from server.nodes.relay_sids import SignedSids
from server.origins import OriginPolicy
from server.runner import Runner
from tests.conftest import SECRET
from tests.engine.clocks import ManualClock
from tests.engine.peers import Peer
from tests.nodes.relay.leases import Leases


class BareNode:
    """One node of Engine.IO, or with `sio` of Socket.IO, which answers the event `echo` and knows the client by
    `sids`. `peer` is a client that asks it, for sessions of all nodes."""

    def __init__(
        self, name: str, leases: Leases, http: aiohttp.ClientSession, *, sio: bool = False, **options: Any
    ) -> None:
        self.name = name
        self._leases = leases
        self.sids: list[str] = []
        self.ended: list[str] = []
        self.server: Any
        if sio:
            self.server = AsyncServer(async_mode="aiohttp", cors_allowed_origins="*", **options)
            self.server.on("connect", lambda sid, _environ: self.sids.append(sid))
            self.server.on("disconnect", lambda _sid, reason: self.ended.append(reason))
            self.server.on("echo", lambda _sid, *args: args)
            self.engine: EngineServer = self.server.eio
        else:
            self.server = self.engine = EngineServer(cors_allowed_origins="*", **options)
            self.engine.on("message", self.engine.send)
        self.relay = Relay(self.engine, SECRET, OriginPolicy((), ()))
        gate = self.relay.gate
        self.app = web.Application(middlewares=[send_in_time, answer_errors, gate.recognize, gate.refuse])
        self.app[HTTP_COUNTS] = HttpCounts()
        self.server.attach(self.app)
        self.relay.attach(self.app)
        self._http = http
        self._runner: Runner | None = None
        self.peer: Peer

    async def start(self) -> None:
        self._runner = Runner(self.app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])
        path = "engine.io" if self.server is self.engine else "socket.io"
        self.peer = Peer(self._http, f"{self.url}/{path}/")
        self._leases.add(self.name, self.url)
        self.relay.open(self._leases.owners(self.name))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def app_runner(self) -> Runner:
        assert self._runner is not None
        return self._runner

    def die(self) -> None:
        """Ends all connections and listens no more, as a killed process does."""
        for site in self.app_runner.sites:
            site._server.close()  # type: ignore[attr-defined,union-attr]
        assert self.app_runner.server is not None
        for connection in self.app_runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        for websocket in list(self.engine._websockets):
            websocket.transport.abort()

    async def stop(self) -> None:
        self.engine.close_timeout_s = 0.05
        if isinstance(self.engine.clock, ManualClock):
            for session in list(self.engine.sockets.values()):
                session.abort("test over")
        await self.app_runner.cleanup()


def sid_of(name: str) -> str:
    """A good sid of this node."""
    return SignedSids(SECRET, name).new()
