"""The composition root: the only place where the parts of the server are wired together."""

import logging
import shutil
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from handlers.chat_app import ChatApp
from handlers.host import Host
from handlers.live.clock import Clock, SystemClock
from handlers.live.limits import network_of
from handlers.live.passwords import Passwords
from handlers.live.tokens import Tokens
from handlers.policy import Policy
from server.about import add_about
from server.config import Config
from server.control import Control
from server.documents import add_documents
from server.draining import DRAINING, Crowd, Draining
from server.engine import AsyncServer, BudgetPolicy, Rate
from server.engine.budget import BURST_S, UNLIMITED
from server.engine_hub import EngineHub
from server.files import add_files
from server.headers import add_headers
from server.health import add_health
from server.hooks.incoming import add_incoming_hooks
from server.hooks.poster import Poster
from server.http_counts import HttpCounts
from server.issuer import ISSUER, issuer_opened
from server.keys import BUS, CHAT_APP, CONFIG, HTTP_COUNTS, NODE, ORIGINS, PAGES, REQUESTS, SIO, UNSENT
from server.large_answers import OnePerTurn, Unsent
from server.metrics.exposition import Exposition
from server.metrics.loop_lag import LoopLag
from server.metrics.route import EXPOSITION, add_metrics
from server.metrics.sources import NodeFigures, Sources
from server.middlewares import answer_errors, check_origins, send_in_time
from server.nodes.addresses import default_node_url
from server.nodes.bus_service import BusService
from server.nodes.key_id import key_id_of
from server.nodes.node import Node
from server.nodes.relay import RELAY, Relay
from server.nodes.relay_owners import Owners
from server.origins import OriginPolicy
from server.pacing import PACING, Pacing
from server.raw_gate import RawGate
from server.request_slots import RequestSlots
from server.rest import add_rest
from server.socketio_gate import ChatNamespace
from server.socketio_json import SocketIOJson
from server.version import VERSION
from server.web import add_web
from storage.open import open_when_free
from storage.ports import Store

STRANGER_FRAMES = 32
STRANGER_BYTES = 64 * 1024
"""What a connection may send at once before it is authenticated. A client sends one frame, with its token."""

STRANGER_MAX_BYTES = 16 * 1024
"""The largest message of a connection that is not authenticated."""

ENGINE_LOG = logging.getLogger("server.engine")
"""What the engine does not foresee. Its own loggers are silent (`server/logs.py`)."""

LOCKED_WAIT_S = 3.0
"""How long a start waits for a store that somebody else has open."""


def create_app(config: Config, *, clock: Clock | None = None) -> web.Application:
    """The whole server as an aiohttp application. The store is opened when the application starts."""
    origins = OriginPolicy(config.cors_origins, config.trusted_proxies)
    sio = _engine(config, origins)
    hub = EngineHub(sio)
    pacing = Pacing()
    draining = Draining(sio, hub, config.drain_s)
    relay = Relay(sio.eio, config.secret_key, origins)
    app = web.Application(
        middlewares=[
            send_in_time,
            check_origins,
            answer_errors,
            relay.gate.recognize,
            draining.middleware,
            pacing.middleware,
            relay.gate.refuse,
        ],
        client_max_size=config.policy.max_frame_bytes,
    )
    app.on_response_prepare.append(add_headers)
    app[CONFIG] = config
    app[HTTP_COUNTS] = HttpCounts()
    app[REQUESTS] = RequestSlots()
    app[PAGES] = OnePerTurn()
    app[UNSENT] = Unsent(config.unsent_answers_limit_bytes)
    app[ORIGINS] = origins
    clock = clock or SystemClock()
    app.cleanup_ctx.append(issuer_opened(clock))
    app.cleanup_ctx.append(_chat_app(sio, hub, clock))
    app[SIO] = sio
    app[PACING] = pacing
    app[DRAINING] = draining
    app[RELAY] = relay
    # Before the engine, which ends what is still connected without a word.
    app.on_shutdown.append(say_goodbye)
    sio.attach(app)
    relay.attach(app)
    app.router.add_get("/ws", RawGate(sio, hub).serve)
    add_files(app)
    add_incoming_hooks(app)
    add_rest(app)
    add_about(app)
    add_documents(app)
    _measure(app, hub)
    add_metrics(app)
    add_health(app)
    add_web(app)
    return app


def _engine(config: Config, origins: OriginPolicy) -> AsyncServer:
    policy = config.policy
    return AsyncServer(
        async_mode="aiohttp",
        async_handlers=False,
        json=SocketIOJson,
        cors_allowed_origins="*",  # the middleware has checked the origin before
        cors_credentials=False,
        ping_interval=config.ping_interval_s,
        ping_timeout=config.ping_timeout_s,
        max_http_buffer_size=policy.max_frame_bytes,
        volatile_limit_bytes=policy.volatile_limit_bytes,
        buffer_limit_bytes=config.buffer_limit_bytes,
        budgets=_budgets(policy),
        owner_unsent_bytes=policy.max_unsent_bytes_per_user,
        stranger_max_bytes=STRANGER_MAX_BYTES,
        address_of=lambda request: network_of(origins.address(request)),
        logger=ENGINE_LOG,
        engineio_logger=ENGINE_LOG,
    )


def _measure(app: web.Application, hub: EngineHub) -> None:
    """Makes what the metrics are read from. The loop is measured only if somebody can read that."""
    lag = LoopLag()

    def sources(unsent_bytes: int) -> Sources:
        return Sources(
            chat=app[CHAT_APP].figures(),
            sio=app[SIO],
            hub=hub,
            http=app[HTTP_COUNTS],
            slots=app[REQUESTS],
            pacing=app[PACING],
            answers=app[UNSENT],
            lag=lag,
            unsent_bytes=unsent_bytes,
            going_away=app[DRAINING].going_away,
            node=_node_figures(app.get(NODE), app.get(BUS), app[RELAY]),
        )

    async def measure(app: web.Application) -> AsyncIterator[None]:
        if app[CONFIG].has_metrics:
            lag.start()
        yield
        lag.stop()

    app[EXPOSITION] = Exposition(app[SIO], sources)
    app.cleanup_ctx.append(measure)


def _node_figures(node: Node | None, bus: BusService | None, relay: Relay) -> NodeFigures | None:
    if node is None:
        return None
    return NodeFigures(
        living=1 + len(node.others),
        look_age_s=node.freshness.age_s,
        lease_age_s=node.lease_age_s,
        stale=node.freshness.stale,
        trouble=node.trouble() is not None,
        bus=None if bus is None else bus.counters,
        relay=relay,
    )


async def say_goodbye(app: web.Application) -> None:
    """Ends every connection because the server is going away, and gives polling clients the time to read that."""
    if CHAT_APP in app:  # otherwise the server never started to serve
        app[PACING].stop()
        app[CHAT_APP].going_away()
        await app[SIO].eio.disconnect()  # connections that are not authenticated
        await app[SIO].eio.wait_closed()


def _budgets(policy: Policy) -> BudgetPolicy:
    """A connection that is not authenticated may send STRANGER_FRAMES and STRANGER_BYTES; then it waits."""
    strangers = policy.stranger_frames_per_s
    return BudgetPolicy(
        stranger=Rate(STRANGER_FRAMES / BURST_S, STRANGER_BYTES / BURST_S) if strangers else UNLIMITED,
        address=Rate(strangers),
        connection=Rate(policy.frames_per_s, policy.bytes_per_s),
        owner=Rate(policy.user_frames_per_s, policy.user_bytes_per_s),
    )


def _chat_app(sio: AsyncServer, hub: EngineHub, clock: Clock) -> Any:
    async def open_chat_app(app: web.Application) -> AsyncIterator[None]:
        config = app[CONFIG]
        store = await open_when_free(
            config.store_url(),
            connect_timeout_s=config.database_connect_timeout_s,
            wait_s=LOCKED_WAIT_S,
            files_folder=config.uploads_dir,
        )
        node = _node(config, store)
        bus = _bus(config, store, node, hub)
        chat_app = ChatApp(
            policy=config.policy,
            store=store,
            hub=hub,
            clock=clock,
            tokens=_tokens(config, store, clock),
            passwords=Passwords(config.bcrypt_cost, costliest_hash=await store.users.costliest_hash()),
            freshness=None if node is None else node.freshness,
            peers=None if node is None else node.peers,
            spreader=None if bus is None else bus.spreader,
            host=Host(VERSION, lambda: shutil.disk_usage(config.data_dir).free, config.spool_dir),
            issuer=app.get(ISSUER),
        )
        app[CHAT_APP] = chat_app
        if node is not None:
            try:
                await _join(app, node, hub)
                if bus is not None:
                    app[BUS] = bus
                    store.subscribe(bus.published)
                    await bus.open(chat_app.hand_out)
            except BaseException:
                await chat_app.close()
                if bus is not None:
                    await bus.close()
                await node.stop()
                await store.close()
                raise
        chat_app.files.start()
        chat_app.hooks.start(Poster(private=config.policy.webhook_private, ca_file=config.ssl_cert_file))
        control = Control(chat_app, config.data_dir)
        await control.open()
        sio.register_namespace(ChatNamespace(chat_app, app[ORIGINS]))
        hub.end_bad_links()
        yield
        await control.close()
        await chat_app.close()
        if bus is not None:
            await bus.close()
        if node is not None:
            await node.stop()
        await store.close()

    return open_chat_app


def _tokens(config: Config, store: Store, clock: Clock) -> Tokens:
    ttl_s = config.policy.access_token_ttl_s
    return Tokens(config.secret_key, config.algorithm, clock, issuer=store.id, access_ttl_s=ttl_s)


async def _join(app: web.Application, node: Node, hub: EngineHub) -> None:
    """Makes this node one of those on its store. Raises: `StorageError`; `WrongKey`."""
    app[NODE] = node
    hub.hold_while(node.freshness)
    node.freshness.fresh = hub.release
    node.connected = app[CHAT_APP].connected_users
    node.end_all = app[CHAT_APP].fall_behind
    await node.start()
    relay, draining = app[RELAY], app[DRAINING]
    relay.open(Owners(node.incarnation, lambda: node.others, node.freshness.look))
    draining.others = node.other_servers
    draining.crowds.append(Crowd(lambda: relay.traffic.tunnel_count, relay.traffic.end_tunnels))


def _node(config: Config, store: Store) -> Node | None:
    """This node among others; None on a store that no other node can share."""
    if store.nodes is None:
        return None
    return Node(
        store.nodes,
        url=config.node_url or default_node_url(config.store_url(), config.port),
        lease_s=config.node_lease_s,
        key_id=key_id_of(config.secret_key, store.id),
    )


def _bus(config: Config, store: Store, node: Node | None, hub: EngineHub) -> BusService | None:
    """Publishes to other nodes at once; None without `REDIS_URL`."""
    if not config.redis_url or store.nodes is None or node is None:
        return None
    return BusService(config.redis_url, config.secret_key, store.id, store.nodes, node, hub)
