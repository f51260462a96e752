"""The command line: `vestnik`, or `python -m server`."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence

from domain.refusals import Refusal
from handlers.moderation import ACTIONS
from handlers.wire.errors import ChatError
from handlers.wire.json import is_unicode
from server import memory
from server.config import Config, ConfigError, load_config
from server.control import ask_server
from server.logs import configure_logs
from server.serving import serve
from server.start_error import StartError
from server.version import VERSION
from storage.errors import StorageError
from storage.open import open_store


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser("vestnik", description="A realtime chat server.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve the chat (the default); settings are in the environment or .env")
    user = commands.add_parser("user", help="ban, unban or delete an account, on a running server too")
    user.add_argument("action", choices=ACTIONS, help="delete cannot be undone; the username stays taken")
    user.add_argument("name", help="username or email")
    asked = parser.parse_args(argv)
    try:
        config = load_config()
        if asked.command == "user":
            return asyncio.run(change_user(config, asked.action, asked.name))
        configure_logs(config.log_level, config.log_format)
        memory.tune()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve(config))
    except (ConfigError, StartError) as error:
        sys.stderr.write(f"vestnik: {error}\n")
        return 1
    return 0


async def change_user(config: Config, action: str, name: str) -> int:
    """Changes an account through the running server, or in the store if no server runs. Returns the exit status.

    Raises: `StartError`.
    """
    if not is_unicode(name):  # bytes that are no text in the terminal's encoding
        raise StartError("the name is not valid text")
    try:
        if not await ask_server(config.data_dir, action, name):
            store = await open_store(config.store_url(), connect_timeout_s=config.database_connect_timeout_s)
            try:
                await ACTIONS[action](store, name)
            finally:
                await store.close()
    except (ChatError, Refusal, StorageError) as error:
        raise StartError(str(error)) from None
    sys.stdout.write(f"{action}: {name}: done\n")
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop, where uvloop is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
