"""The composition root: the only place where things are wired together."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

from handlers.clock import Clock, SystemClock
from handlers.endings import Ending
from handlers.house import House
from handlers.passwords import Passwords
from handlers.tokens import Tokens
from handlers.wire_json import dumps, loads
from server.answers import Unsent
from server.config import Config
from server.control import Control
from server.doors import Doors
from server.engine import AsyncServer
from server.headers import add_headers
from server.health import add_health
from server.hub import EngineHub
from server.keys import CONFIG, DOORS, HOUSE, REQUESTS, SIO, UNSENT
from server.middlewares import check_origins, send_in_time, tell_errors
from server.raw_gate import RawGate
from server.requests import Requests
from server.rest import add_rest
from server.socketio_gate import ChatNamespace
from server.web import add_web
from storage.open import open_store


class SocketIOJson:
    """orjson behind the two functions that python-socketio calls."""

    @staticmethod
    def dumps(value: Any, *, separators: object = None, default: Callable[[Any], Any] | None = None) -> str:
        return dumps(value, default).decode()

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return loads(text)


def create_app(config: Config, *, clock: Clock | None = None) -> web.Application:
    """The whole server as an aiohttp application; the store is opened when it starts."""
    policy = config.policy
    sio = AsyncServer(
        async_mode="aiohttp",
        async_handlers=False,
        json=SocketIOJson,
        cors_allowed_origins="*",  # the middleware has looked at the origin before
        cors_credentials=False,
        ping_interval=config.ping_interval_s,
        ping_timeout=config.ping_timeout_s,
        max_http_buffer_size=policy.max_frame_bytes,
        volatile_limit_bytes=policy.volatile_limit_bytes,
        buffer_limit_bytes=config.buffer_limit_bytes,
    )
    app = web.Application(
        middlewares=[send_in_time, check_origins, tell_errors], client_max_size=policy.max_frame_bytes
    )
    app.on_response_prepare.append(add_headers)
    app[CONFIG] = config
    app[REQUESTS] = Requests()
    app[UNSENT] = Unsent(config.unsent_answers_limit_bytes)
    app[DOORS] = Doors(config.cors_origins, config.trusted_proxies)
    app.cleanup_ctx.append(_house(sio, clock or SystemClock()))
    app[SIO] = sio
    app.on_shutdown.append(
        say_goodbye
    )  # before the engine, which ends what is still connected without a word
    sio.attach(app)
    app.router.add_get("/ws", RawGate(sio).serve)
    add_rest(app)
    add_health(app)
    add_web(app)
    return app


async def say_goodbye(app: web.Application) -> None:
    """Tells every connection that the server goes away, and gives those that poll the time to hear it."""
    if HOUSE in app:  # else it never came to serving
        app[HOUSE].going_away()
        await app[SIO].eio.disconnect()  # whoever has not said who he is
        await app[SIO].eio.heard()


def _house(sio: AsyncServer, clock: Clock) -> Any:
    async def open_house(app: web.Application) -> AsyncIterator[None]:
        config = app[CONFIG]
        store = await open_store(config.store_url(), connect_timeout_s=config.database_connect_timeout_s)
        hub = EngineHub(sio)
        house = House(
            policy=config.policy,
            store=store,
            hub=hub,
            clock=clock,
            tokens=Tokens(
                config.secret_key, config.algorithm, clock, access_ttl_s=config.policy.access_token_ttl_s
            ),
            passwords=Passwords(config.bcrypt_cost),
        )
        app[HOUSE] = house
        control = Control(store, config.data_dir)
        await control.open()
        sio.register_namespace(ChatNamespace(house, app[DOORS]))
        sio.eio.on_overflow = lambda eio_sid: hub.end_link(eio_sid, Ending.TOO_SLOW)
        sio.eio.on_violation = lambda eio_sid, code: hub.end_link(
            eio_sid, Ending.FRAME_TOO_LARGE if code == 1009 else Ending.BROKEN
        )
        sio.eio.on_silence = lambda eio_sid: hub.end_link(eio_sid, Ending.SILENT)
        yield
        control.close()
        await house.close()
        await store.close()

    return open_house
