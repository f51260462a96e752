"""The command line: `vestnik`, or `python -m server`."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence

import structlog
from aiohttp import web

from handlers.wire.errors import ChatError
from handlers.wire.json import is_unicode
from server import memory
from server.app import create_app
from server.config import SECRET_BYTES_MIN, Config, ConfigError, load_config, secret_key_file
from server.control import ACTIONS, ask_server
from server.demo import PEOPLE, seed_demo
from server.keys import CHAT_APP
from server.logs import configure_logs, report
from server.open_files import OpenFilesWatch, allow_open_files
from server.runner import Runner
from server.version import VERSION
from storage.errors import StorageError
from storage.modes import warn_of_modes
from storage.open import open_store

log = structlog.get_logger("vestnik")

BACKLOG = 4096
"""Connections that may wait to be accepted, as far as the system allows. After a restart all clients come back at once;
those for whom there is no room are told nothing, and try again after 1, 3, 7… seconds."""

ACCEPTS_AT_ONCE = 64
"""asyncio tries to accept as often in a row as its backlog says, and goes on when no file can be opened any more: 4,096
errors a second, and most of a core."""


class StartError(Exception):
    """Why the server could not start, or an account not be changed, in one line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser("vestnik", description="A realtime chat server.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve the chat (the default); settings are in the environment or .env")
    user = commands.add_parser("user", help="ban, unban or delete an account, on a running server too")
    user.add_argument("deed", choices=ACTIONS, help="delete cannot be undone; the username stays taken")
    user.add_argument("name", help="username or email")
    asked = parser.parse_args(argv)
    try:
        config = load_config()
        if asked.command == "user":
            return asyncio.run(change_user(config, asked.deed, asked.name))
        configure_logs(config.log_level, config.log_format)
        memory.tune()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve(config))
    except (ConfigError, StartError) as error:
        sys.stderr.write(f"vestnik: {error}\n")
        return 1
    return 0


async def change_user(config: Config, deed: str, name: str) -> int:
    """Has a running server do it, or does it where none runs; the exit status. Raises: `StartError`."""
    if not is_unicode(name):  # bytes that are no text in the terminal's encoding
        raise StartError("the name is not valid text")
    try:
        if not await ask_server(config.data_dir, deed, name):
            store = await open_store(config.store_url(), connect_timeout_s=config.database_connect_timeout_s)
            try:
                await ACTIONS[deed](store, name)
            finally:
                await store.close()
    except (ChatError, StorageError) as error:
        raise StartError(str(error)) from None
    sys.stdout.write(f"{deed}: {name}: done\n")
    return 0


SWITCH_S = 0.0005
"""So long a thread that reads the store may hold up the loop. With Python's 5 ms, a hundred connections that asked for
replays had others wait for 43 ms (p99) instead of 24."""


async def serve(config: Config) -> None:
    """Serves until SIGTERM, SIGINT or SIGHUP. Raises: `StartError`."""
    if len(config.secret_key.encode()) < SECRET_BYTES_MIN:
        log.warning("SECRET_KEY is short; tokens can be forged by trying keys", least_bytes=SECRET_BYTES_MIN)
    warn_of_modes([secret_key_file(config.data_dir)], "the key of all tokens")
    asyncio.get_running_loop().set_exception_handler(report)
    sys.setswitchinterval(SWITCH_S)
    allow_open_files()
    open_files = OpenFilesWatch()
    door = _bind(config)
    app = create_app(config)
    giving_back = memory.GivingBack()
    runner = Runner(app, access_log=None, shutdown_timeout=config.shutdown_timeout_s)
    try:
        try:
            await runner.setup()
        except StorageError as error:
            setting = "DATABASE_URL" if config.database_url else "DATA_DIR"
            raise StartError(f"{setting}: {error}") from None
        if config.seed_demo:
            await _seed(app)
        if not (config.web_client_dir / "index.html").is_file():
            log.info("the web client is not built", build="npm ci && npm run build, in frontend")
        _spare_the_collector()
        await web.SockSite(runner, door, backlog=ACCEPTS_AT_ONCE).start()
        door.listen(BACKLOG)  # the site has lowered it
        open_files.start()
        log.info("serving", url=f"http://{_shown(config.host)}:{door.getsockname()[1]}")
        giving_back.start()
        await _asked_to_stop()
        log.info("going away")
    finally:
        open_files.stop()
        await giving_back.stop()
        await runner.cleanup()
        door.close()


def _spare_the_collector() -> None:
    """What is there at the start stays, and need not be looked at again; what a message leaves behind is freed without
    the collector: coming by after every 700 objects, as it would, it took 5 % of the time of a send."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _bind(config: Config) -> socket.socket:
    """The port, taken before anything else is touched."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartError(f"HOST: {config.host}: {error.strerror}") from None
    except UnicodeError:
        raise StartError("HOST: is no host name") from None
    door = socket.socket(family, kind, protocol)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        # Only a listening socket makes a second one fail; nobody is accepted before the site starts.
        door.listen(BACKLOG)
    except OSError as error:
        door.close()
        raise StartError(f"PORT: cannot listen on {config.host}:{config.port}: {error.strerror}") from None
    return door


async def _seed(app: web.Application) -> None:
    password = await seed_demo(app[CHAT_APP])
    if password is not None:
        # To the terminal and not through the log, which may be kept.
        sys.stderr.write(f"\n  Demo users {', '.join(PEOPLE)}; their password: {password}\n\n")
        sys.stderr.flush()


async def _asked_to_stop() -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    terminals = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def hung_up() -> None:
        _let_go_of(terminals)
        asked.set()

    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on the loop
        loop.add_signal_handler(signal.SIGTERM, asked.set)
        loop.add_signal_handler(signal.SIGINT, asked.set)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` has it
            loop.add_signal_handler(signal.SIGHUP, hung_up)
    await asked.wait()


def _let_go_of(terminals: Sequence[int]) -> None:
    """A terminal that has been closed takes no more lines, and each would be an error in the middle of the stop."""
    for terminal in terminals:
        if not os.isatty(terminal):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, terminal)
            os.close(nowhere)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- shown, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
