"""`vestnik bot …`: bots of users, on a running server through its control socket, on a stopped one in the store."""

import argparse
from collections.abc import Mapping
from typing import Any

from domain.refusals import Refusal
from handlers.wire.errors import ChatError
from handlers.wire.json import dumps
from server.command_line import (
    act,
    check_texts,
    error_line,
    listed,
    prepare_output,
    print_all,
    print_result,
    printable,
)
from server.config import Config
from server.start_error import StartError
from storage.errors import StorageError

_HEAD = f"{'id':>8}  {'username':<32}  {'owner':<32}  {'what':<6}  display name\n"


def add_bot_commands(parser: argparse.ArgumentParser) -> None:
    """Declares the commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _named(actions, "create", "make a bot, and print its token once")
    create.add_argument("--owner", required=True, metavar="USER", help="username or email of its owner")
    create.add_argument("--display-name", metavar="NAME")
    token = _named(actions, "token", "make another token; the old one is dead at once")
    for command in (create, token):
        command.add_argument("--json", action="store_true", help="print a JSON object")
    listing = actions.add_parser("list", help="print all bots that are not deleted")
    listing.add_argument("--json", action="store_true", help="print a JSON array")
    _named(actions, "delete", "end a bot for good; its username stays taken")


def _named(actions: Any, action: str, says: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(action, help=says)
    parser.add_argument("name", help="username of the bot")
    return parser


async def run_bot_command(config: Config, asked: argparse.Namespace) -> int:
    """Runs one of the commands and prints what came of it. Returns the exit status. Raises: `StartError`."""
    prepare_output(as_json=getattr(asked, "json", False))
    try:
        if asked.action == "list":
            bots = listed(config, "bot_list", "bots", as_json=asked.json, head=_HEAD, row=_row)
            return await print_all(bots)
        result = await act(config, f"bot_{asked.action}", _request(asked))
    except (ChatError, Refusal, StorageError) as raised:
        raise StartError(error_line(raised)) from None
    way_out = "`vestnik bot token` makes another token" if "token" in result else None
    print_result(asked.action, _said(asked, result), way_out)
    return 0


def _request(asked: argparse.Namespace) -> Mapping[str, Any]:
    """What is asked of `handlers.bot_keeper`. Raises: `StartError`."""
    options = {name: getattr(asked, name, None) for name in ("owner", "display_name")}
    check_texts([asked.name, *filter(None, options.values())])
    return {"user": asked.name, **(options if asked.action == "create" else {})}


def _row(bot: Mapping[str, Any]) -> str:
    what, name = "banned" if bot["banned"] else "", printable(bot["display_name"])
    return f"{bot['id']:>8}  {bot['username']:<32}  {bot['owner']:<32}  {what:<6}  {name}\n"


def _said(asked: argparse.Namespace, result: Mapping[str, Any]) -> str:
    """What is printed for people, or for programs."""
    name, token = printable(asked.name), result.get("token")
    if getattr(asked, "json", False):
        return dumps({key: value for key, value in result.items() if key != "ok"}).decode() + "\n"
    if asked.action == "create":
        said = f"create: {name}: bot {result['id']} of {result['owner']} made\n"
    else:
        said = f"{asked.action}: {name}: done\n"
    return said if token is None else f"{said}token: {token}\n"
