"""Hands requests for a session of another node on to that node, so that a proxy may give each request of a polling
client, and its upgrade, to any node.

The wire is the client's own: the same path and query with the header `X-Vestnik-Relay`, which carries the address of
the client and a signature. A node that gets the header answers or refuses; it never hands the request on again.
"""

from collections import OrderedDict
from contextlib import AsyncExitStack
from functools import partial

import structlog
from aiohttp import ClientError, web

from handlers.wire.errors import not_found
from server.engine import EngineServer, HandedOver
from server.engine.budget import Budget
from server.engine.clock import expire, timeout
from server.engine.foreign import Body
from server.engine.handshake import check
from server.engine.http_answers import Headers
from server.engine.takeover import hand_over
from server.nodes.relay_answers import busy, gone, pass_on, refused
from server.nodes.relay_client import RelayClient
from server.nodes.relay_gate import CLAIM, RelayGate
from server.nodes.relay_owners import Owners
from server.nodes.relay_probe import PATH, Probe
from server.nodes.relay_sids import SignedSids
from server.nodes.relay_signing import Forged, Signer
from server.nodes.relay_traffic import Passage, TooManyRelayed, Traffic
from server.nodes.relay_tunnel import Tunnel
from server.nodes.relay_upgrade import NotSwitched, connect
from server.origins import OriginPolicy

log = structlog.get_logger("vestnik")

KNOWN_MAX = 50_000
"""How many sessions of other nodes are remembered as recognized."""

SILENT_MAX = 1000
"""For how many incarnations it is remembered that the log has a line that they do not answer."""

LOST = (ClientError, OSError, TimeoutError, Forged)
"""What is raised when the other node does not answer, or somebody else does."""


class Relay:
    """Implements `server.engine.foreign.ForeignSessions`, from `open` on.

    A request for another node's session counts here against the budget of its client's address until the other
    node says that it has recognized the session; then the other node alone makes it wait.
    """

    def __init__(self, engine: EngineServer, secret_key: str, origins: OriginPolicy) -> None:
        self._engine = engine
        self._secret_key = secret_key
        self._address_of = origins.address
        self._signer = Signer(secret_key)
        self.gate = RelayGate(self._signer, lambda sid: engine.budget_of(sid) is not None)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._silent: OrderedDict[str, None] = OrderedDict()
        self._unpaced = Budget()
        self._closed = False
        self._owners: Owners
        self._sids: SignedSids
        self.client: RelayClient
        self.traffic: Traffic
        self.probe: Probe
        self.relayed = self.failed = self.tunnels = 0
        """How many requests were handed on, how many of them without an answer, and how many became a tunnel."""

    def open(self, owners: Owners) -> None:
        """Begins to hand on, and to take what others hand on. To be called before the first session is opened."""
        self._owners = owners
        self._sids = SignedSids(self._secret_key, owners.incarnation)
        self.client = RelayClient(self._signer, owners.incarnation)
        self.traffic = Traffic(owners, self._engine.clock)
        self.probe = Probe(self.client, owners)
        self.gate.incarnation = owners.incarnation
        self._engine.foreign = self

    def start(self) -> None:
        """Finds out whether others reach this node, which accepts connections from now on, and logs a warning if not.
        Does nothing if this node was never opened."""
        if self._engine.foreign is self:
            self._engine.spawn(self.probe.check())

    def attach(self, app: web.Application) -> None:
        """Adds what others ask for. The middlewares of `gate` are the application's to place."""
        app.on_response_prepare.append(self.gate.sign)
        app.router.add_get(PATH, self._answer_ping)
        app.router.add_post(PATH, self._answer_ping)
        app.on_shutdown.append(self._close)

    async def _answer_ping(self, request: web.Request) -> web.Response:
        if self._engine.foreign is not self:
            raise not_found("page")
        return await self.probe.answer_ping(request)

    async def _close(self, _app: web.Application) -> None:
        """Ends everything that is being handed on."""
        if self._engine.foreign is self:
            self._closed = True
            self.traffic.stop()
            await self.client.close()

    # --- what the engine asks ------------------------------------------------------------------------------------

    def new_sid(self) -> str:
        return self._sids.new()

    def budget_of(self, sid: str) -> Budget | None:
        return self._unpaced if sid in self._known else None

    def body_of(self, request: web.Request) -> Body:
        return self.gate.body_of(request)

    async def answer(
        self, request: web.Request, sid: str, headers: Headers, *, websocket: bool
    ) -> web.StreamResponse | None:
        owner = self._sids.incarnation_of(sid)
        if owner is None or owner == self._owners.incarnation or CLAIM in request:
            return None
        if (
            not request.path_qs.isascii()
        ):  # no client writes that, and libraries differ in what they make of it
            return None
        if self._closed:
            return gone(headers)
        url = await self._owners.url_of(owner)
        if not url:
            return gone(headers)
        try:
            stranger = "" if sid in self._known else self._engine.address_of(request)
            passage = self.traffic.enter(sid, owner, url, stranger)
        except TooManyRelayed:
            return busy(headers)
        passage.is_left = lambda: request.transport is None or request.transport.is_closing()
        self.relayed += 1
        try:
            return await (self._tunnel if websocket else self._relay)(request, passage, headers)
        except LOST as error:
            self._lost(passage, error)
            return gone(headers)

    # --- polling -------------------------------------------------------------------------------------------------

    async def _relay(self, request: web.Request, passage: Passage, headers: Headers) -> web.StreamResponse:
        """Raises: `LOST`."""
        address = self._address_of(request)
        # A body may come for as long as a heartbeat; then there is as much time for the answer.
        limit_s = self._heartbeat_s * (2 if request.method == "POST" else 1)
        async with AsyncExitStack() as stack:
            stack.callback(self.traffic.leave, passage)
            async with timeout(self._engine.clock, limit_s) as limit:
                passage.end = partial(expire, limit)
                answer = await stack.enter_async_context(
                    self.client.relayed(request, passage.owner, passage.url, address)
                )
            self._remember(passage.sid, known=answer.known)
            async with timeout(self._engine.clock, self._heartbeat_s) as limit:
                passage.end = partial(expire, limit)
                return await pass_on(request, answer.response, headers)

    @property
    def _heartbeat_s(self) -> float:
        return float(self._engine.ping_interval + self._engine.ping_timeout)

    def _remember(self, sid: str, *, known: bool) -> None:
        if not known:
            self._known.pop(sid, None)
            return
        self._known[sid] = None
        self._known.move_to_end(sid)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    # --- upgrades ------------------------------------------------------------------------------------------------

    async def _tunnel(self, request: web.Request, passage: Passage, headers: Headers) -> web.StreamResponse:
        """Raises: `LOST`; as `handshake.check`."""
        tunnel = Tunnel(self._engine.clock, partial(self.traffic.leave, passage))
        try:
            check(request)
            async with timeout(self._engine.clock, self._engine.upgrade_timeout_s) as limit:
                passage.end = partial(expire, limit)
                claim = self.client.claim(passage.owner, self._address_of(request))
                there, rest = await connect(
                    request, passage.url, claim, self._signer, tunnel, tls=self.client.tls_for(passage.url)
                )
        except BaseException as error:
            self.traffic.leave(passage)
            if isinstance(error, NotSwitched):
                return refused(headers, error.status)
            raise
        passage.end = tunnel.abort
        passage.is_left = lambda: False  # aiohttp knows nothing of the client any more
        try:
            here, early = await hand_over(request, tunnel.end_for)
        except BaseException:
            tunnel.abort()
            raise
        self.tunnels += 1
        self.traffic.became_tunnel(passage)
        if there.transport.is_closing():  # the other node has gone meanwhile
            tunnel.abort()
            return HandedOver()
        there.came(rest)
        here.came(early)
        there.transport.resume_reading()
        return HandedOver()

    def _lost(self, passage: Passage, error: BaseException) -> None:
        """Notes that the other node has not answered, unless the client has left."""
        self._known.pop(passage.sid, None)
        if passage.is_left():
            return
        self.failed += 1
        if passage.owner not in self._silent:
            self._silent[passage.owner] = None
            log.warning(
                "another node does not answer; clients whose sessions it has start new ones",
                url=passage.url,
                reason=type(error).__name__,
            )
            if len(self._silent) > SILENT_MAX:
                self._silent.popitem(last=False)


RELAY = web.AppKey("relay", Relay)
