"""Serving the chat, from the first socket to the last log line."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace

import structlog
from aiohttp import web

from server import memory
from server.app import create_app
from server.config import Config
from server.demo import PEOPLE, seed_demo
from server.keys import CHAT_APP, NODE
from server.logs import report
from server.metrics.listener import HOST as METRICS_HOST
from server.metrics.listener import MetricsListener
from server.nodes.key_id import WrongKey
from server.nodes.node import Node
from server.open_files import OpenFilesWatch, allow_open_files
from server.runner import Runner
from server.secret_key import BYTES_MIN, secret_key_file
from storage.errors import StorageError
from storage.file_modes import warn_of_modes

log = structlog.get_logger("vestnik")

BACKLOG = 4096
"""How many connections may wait to be accepted, as far as the system allows. After a restart all clients come back at
once; the system drops those for whom there is no room, and they try again after 1, 3, 7… seconds."""

ACCEPTS_AT_ONCE = 64
"""How often asyncio accepts in a row: as often as its backlog says, even when no file can be opened any more. 4,096
would mean as many errors a second, and most of a core."""

SWITCH_S = 0.0005
"""How long a thread that reads the store may hold up the loop. With Python's default of 5 ms, a hundred connections
that asked for replays delayed others by 43 ms (p99) instead of 24."""


class StartError(Exception):
    """Why the server could not start, or could not go on, or an account could not be changed, in one line."""


async def serve(config: Config) -> None:
    """Serves until SIGTERM, SIGINT or SIGHUP, or until this server cannot go on beside newer ones. Raises:
    `StartError`."""
    if len(config.secret_key.encode()) < BYTES_MIN:
        log.warning("SECRET_KEY is short; tokens can be forged by trying keys", least_bytes=BYTES_MIN)
    warn_of_modes([secret_key_file(config.data_dir)], "the key of all tokens")
    asyncio.get_running_loop().set_exception_handler(report)
    sys.setswitchinterval(SWITCH_S)
    allow_open_files()
    open_files = OpenFilesWatch()
    listener = _bind(config)
    metrics = _bind_metrics(config)
    app = create_app(replace(config, port=listener.getsockname()[1]))
    giving_back = memory.GivingBack()
    runner = Runner(app, access_log=None, shutdown_timeout=config.shutdown_timeout_s)
    try:
        try:
            await runner.setup()
        except StorageError as error:
            setting = "DATABASE_URL" if config.database_url else "DATA_DIR"
            raise StartError(f"{setting}: {error}") from None
        except WrongKey as error:
            raise StartError(str(error)) from None
        if config.seed_demo:
            await _seed(app)
        if not (config.web_client_dir / "index.html").is_file():
            log.info("the web client is not built", build="npm ci && npm run build, in frontend")
        _spare_the_collector()
        await web.SockSite(runner, listener, backlog=ACCEPTS_AT_ONCE).start()
        listener.listen(BACKLOG)  # the site has lowered it
        open_files.start()
        if metrics is not None:
            await metrics.start(app)
        log.info("serving", url=f"http://{_shown(config.host)}:{listener.getsockname()[1]}")
        giving_back.start()
        reason = await _asked_to_stop(app.get(NODE))
        log.info("going away")
    finally:
        open_files.stop()
        await giving_back.stop()
        await runner.cleanup()
        listener.close()
        if metrics is not None:
            await metrics.close()
    if reason is not None:
        raise StartError(reason)


def _spare_the_collector() -> None:
    """Makes the garbage collector run less often. Objects that exist at the start stay, so it need not look at them.
    What a message leaves behind is freed without it; at its default of every 700 objects it took 5 % of the time of a
    send."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _bind(config: Config) -> socket.socket:
    """The listening socket. It is bound before anything else is done, so that a second server on the port stops
    here."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartError(f"HOST: {config.host}: {error.strerror}") from None
    except UnicodeError:
        raise StartError("HOST: is no host name") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Only a listening socket makes a second bind fail. Nothing is accepted before the site starts.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"PORT: cannot listen on {config.host}:{config.port}: {error.strerror}") from None
    return listener


def _bind_metrics(config: Config) -> MetricsListener | None:
    """The port for metrics, bound as early as the other one; None without one."""
    if not config.metrics_port:
        return None
    try:
        return MetricsListener(config.metrics_port)
    except OSError as error:
        raise StartError(
            f"METRICS_PORT: cannot listen on {METRICS_HOST}:{config.metrics_port}: {error.strerror}"
        ) from None


async def _seed(app: web.Application) -> None:
    password = await seed_demo(app[CHAT_APP])
    if password is not None:
        # To the terminal and not through the log, which may be kept.
        sys.stderr.write(f"\n  Demo users {', '.join(PEOPLE)}; their password: {password}\n\n")
        sys.stderr.flush()


async def _asked_to_stop(node: Node | None) -> str | None:
    """Returns when the server has to stop; the reason, if nobody asked for it."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    terminals = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def hung_up() -> None:
        _redirect_closed(terminals)
        asked.set()

    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on the loop
        loop.add_signal_handler(signal.SIGTERM, asked.set)
        loop.add_signal_handler(signal.SIGINT, asked.set)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under `nohup`
            loop.add_signal_handler(signal.SIGHUP, hung_up)
    if node is None:
        await asked.wait()
        return None
    waiting = asyncio.ensure_future(asked.wait())
    await asyncio.wait((waiting, node.must_leave), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return node.must_leave.result() if node.must_leave.done() else None


def _redirect_closed(terminals: Sequence[int]) -> None:
    """Redirects output away from closed terminals: each line to one would be an error in the middle of the stop."""
    for terminal in terminals:
        if not os.isatty(terminal):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, terminal)
            os.close(nowhere)


def _shown(host: str) -> str:
    """A host as it stands in a URL that can be opened."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- shown, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
