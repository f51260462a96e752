"""Serving the chat, from the first socket to the last log line."""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from aiohttp import web

from server import memory
from server.app import create_app
from server.config import Config
from server.draining import DRAINING
from server.env_file import warn_of_mistyped
from server.first_admin import prepare_people, print_setup_link
from server.first_words import say_first_words
from server.keys import CHAT_APP, NODE
from server.listeners import BACKLOG, open_listeners, port_of, shown_url
from server.logs import report
from server.metrics.listener import MetricsListener
from server.nodes.bus_connections import Sentinel
from server.nodes.key_id import WrongKey
from server.nodes.node import Node
from server.nodes.relay import RELAY
from server.open_files import OpenFilesWatch, allow_open_files
from server.runner import Runner
from server.secret_key import BYTES_MIN, secret_key_file
from server.start_error import StartError
from server.stop_signals import StopSignals
from server.systemd import Systemd
from storage.errors import StorageError
from storage.file_modes import warn_of_modes

log = structlog.get_logger("vestnik")

ACCEPTS_AT_ONCE = 64
"""How often asyncio accepts in a row: as often as its backlog says, even when no file can be opened any more. 4,096
would mean as many errors a second, and most of a core."""

SWITCH_S = 0.0005
"""How long a thread that reads the store may hold up the loop. With Python's default of 5 ms, a hundred connections
that asked for replays delayed others by 43 ms (p99) instead of 24."""

HURRY_S = 1.0
"""How long after the second signal the process ends, wherever its stop is by then."""


async def serve(config: Config) -> None:
    """Serves until SIGTERM, SIGINT or SIGHUP, or until this node cannot go on beside newer ones. Raises:
    `StartError`."""
    _warn_of_settings(config)
    asyncio.get_running_loop().set_exception_handler(report)
    sys.setswitchinterval(SWITCH_S)
    allow_open_files()
    open_files = OpenFilesWatch()
    systemd = Systemd()
    listeners = open_listeners(config)
    metrics = MetricsListener(config.metrics_port) if config.metrics_port else None
    app = create_app(replace(config, port=port_of(listeners[0])))
    giving_back = memory.GivingBack()
    runner = Runner(app, access_log=None, shutdown_timeout=config.shutdown_timeout_s)
    signals = StopSignals()
    try:
        try:
            await runner.setup()
        except StorageError as error:
            setting = "DATABASE_URL" if config.database_url else "DATA_DIR"
            raise StartError(f"{setting}: {error}") from None
        except Sentinel:
            raise StartError("REDIS_URL: names a Sentinel; name the Redis server itself") from None
        except WrongKey as error:
            raise StartError(str(error)) from None
        await prepare_people(app[CHAT_APP], config)
        if not (config.web_client_dir / "index.html").is_file():
            log.info("the web client is not built", build="npm ci && npm run build, in frontend")
        _spare_the_collector()
        for listener in listeners:
            await web.SockSite(runner, listener, backlog=ACCEPTS_AT_ONCE).start()
            listener.listen(BACKLOG)  # the site has lowered it
        say_first_words(config, listeners)
        await print_setup_link(app[CHAT_APP], config.policy.public_url or shown_url(listeners[0]))
        open_files.start()
        if metrics is not None:
            await metrics.start(app)
        giving_back.start()
        app[RELAY].start()
        signals.install()
        systemd.ready()
        reason = await _asked_to_stop(signals, app.get(NODE))
        systemd.stopping()
        runner.begin_stop()
        stop_s = config.shutdown_timeout_s if reason is None else 0
        await signals.unless_hurried(app[DRAINING].run(app[CHAT_APP], stop_s))
    finally:
        open_files.stop()
        await giving_back.stop()
        async with _hurrying(signals, runner):
            await runner.cleanup()
        systemd.close()
        for listener in listeners:
            listener.close()
        if metrics is not None:
            await metrics.close()
    if reason is not None:
        raise StartError(reason)


def _warn_of_settings(config: Config) -> None:
    """Logs what is set and should not stay so."""
    if len(config.secret_key.encode()) < BYTES_MIN:
        log.warning("SECRET_KEY is short; tokens can be forged by trying keys", least_bytes=BYTES_MIN)
    warn_of_modes([secret_key_file(config.data_dir)], "the key of all tokens")
    warn_of_mistyped(Path(".env"))


@asynccontextmanager
async def _hurrying(signals: StopSignals, runner: Runner) -> AsyncIterator[None]:
    """Hurries what runs in the context when the second signal comes, or has come; soon after it ends the process, which
    loses nothing that was acked."""
    hurrying = asyncio.create_task(_hurry(signals, runner))
    try:
        yield
    finally:
        hurrying.cancel()


async def _hurry(signals: StopSignals, runner: Runner) -> None:
    await signals.hurried.wait()
    log.warning("asked a second time to stop: waiting for no client")
    runner.hurry()
    await asyncio.sleep(HURRY_S)
    log.warning("stopped in the middle")
    sys.stdout.flush()
    os._exit(1)


def _spare_the_collector() -> None:
    """Makes the garbage collector run less often. Objects that exist at the start stay, so it need not look at them.
    What a message leaves behind is freed without it; at its default of every 700 objects it took 5 % of the time of a
    send."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _asked_to_stop(signals: StopSignals, node: Node | None) -> str | None:
    """Returns when the server has to stop; the reason, if nobody asked for it."""
    if node is None:
        await signals.asked.wait()
        return None
    waiting = asyncio.ensure_future(signals.asked.wait())
    await asyncio.wait((waiting, node.must_leave), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return node.must_leave.result() if node.must_leave.done() else None
