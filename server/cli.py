"""The command line: `vestnik`, or `python -m server`."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence

from server import memory
from server.backup_command import add_backup_options, run_backup_command
from server.bot_command import add_bot_commands, run_bot_command
from server.check_command import add_check_options, run_check_command
from server.config import ConfigError, load_config
from server.export_command import add_export_options, run_export_command
from server.logs import configure_logs, nothing_logged
from server.restore_command import add_restore_options, run_restore_command
from server.start_error import StartError
from server.uploads_command import add_uploads_options, run_uploads_command
from server.user_command import add_user_commands, run_user_command
from server.version import VERSION

_RUN = {
    "user": run_user_command,
    "bot": run_bot_command,
    "uploads": run_uploads_command,
    "backup": run_backup_command,
    "restore": run_restore_command,
    "check": run_check_command,
    "export": run_export_command,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser("vestnik", description="A realtime chat server.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve the chat (the default); settings are in the environment or .env")
    add_user_commands(commands.add_parser("user", help="accounts, of a running server too"))
    add_bot_commands(commands.add_parser("bot", help="bots of users and their tokens"))
    add_uploads_options(commands.add_parser("uploads", help="how many files there are, and the largest"))
    add_backup_options(commands.add_parser("backup", help="everything in one file, of a running server too"))
    add_restore_options(commands.add_parser("restore", help="fill an empty place from a backup"))
    add_check_options(commands.add_parser("check", help="whether the store, or a backup, is whole and right"))
    add_export_options(commands.add_parser("export", help="a chat, or what a person has said, to be read"))
    asked = parser.parse_args(argv)
    try:
        config = load_config()
        if asked.command in _RUN:
            with nothing_logged():
                return asyncio.run(_RUN[asked.command](config, asked))
        from server.serving import serve  # half of the time that `vestnik user` takes would be spent on it

        configure_logs(config.log_level, config.log_format)
        memory.tune()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve(config))
    except (ConfigError, StartError) as error:
        sys.stderr.write(f"vestnik: {error}\n")
        return 1
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop, where uvloop is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
