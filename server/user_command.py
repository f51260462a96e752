"""`vestnik user …`: accounts, on a running server through its control socket, on a stopped one in the store."""

import argparse
import getpass
import sys
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

_PASSWORD_BYTES_MAX = 4096


def add_user_commands(parser: argparse.ArgumentParser) -> None:
    """Declares the commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _named(actions, "create", "make an account, whatever REGISTRATION says")
    create.add_argument("--admin", action="store_true", help="who administers the server")
    create.add_argument("--email")
    create.add_argument("--display-name", metavar="NAME")
    password = _named(actions, "password", "set another password; all sessions end")
    for command in (create, password):
        command.add_argument(
            "--stdin", action="store_true", help="read the password; else one is made up and printed"
        )
        command.add_argument("--json", action="store_true", help="print a JSON object")
    listing = actions.add_parser("list", help="print all accounts that are not deleted")
    listing.add_argument("--json", action="store_true", help="print a JSON array")
    admin = _named(actions, "admin", "make somebody an admin of the server")
    admin.add_argument(
        "--off", action="store_true", help="take the right away; the last active admin keeps it"
    )
    _named(actions, "ban", "end the sessions of an account and refuse new ones")
    _named(actions, "unban", "let a banned account in again")
    _named(actions, "delete", "end an account for good; the username stays taken")


def _named(actions: Any, action: str, says: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(action, help=says)
    parser.add_argument("name", help="username" if action == "create" else "username or email")
    return parser


async def run_user_command(config: Config, asked: argparse.Namespace) -> int:
    """Runs one of the commands and prints what came of it. Returns the exit status. Raises: `StartError`."""
    prepare_output(as_json=getattr(asked, "json", False))
    try:
        if asked.action == "list":
            users = listed(config, "list", "users", as_json=asked.json, head=_HEAD, row=_row)
            return await print_all(users)
        result = await act(config, asked.action, _request(asked))
    except (ChatError, Refusal, StorageError) as raised:
        raise StartError(error_line(raised)) from None
    has_password = result.get("password") is not None
    way_out = "`vestnik user password` makes another password" if has_password else None
    print_result(asked.action, _said(asked, result), way_out)
    return 0


def _request(asked: argparse.Namespace) -> Mapping[str, Any]:
    """What is asked of `handlers.operator`. Raises: `StartError`."""
    check_texts([asked.name, getattr(asked, "email", None) or "", getattr(asked, "display_name", None) or ""])
    request: dict[str, Any] = {"user": asked.name}
    if getattr(asked, "stdin", False):
        request["password"] = _read_password()
    if asked.action == "create":
        request |= {"is_admin": asked.admin, "email": asked.email, "display_name": asked.display_name}
    elif asked.action == "admin":
        request["off"] = asked.off
    return request


def _read_password() -> str:
    """The first line of standard input; from a terminal without showing it. Raises: `StartError`."""
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    line = sys.stdin.buffer.readline(_PASSWORD_BYTES_MAX)
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise StartError("the password is not UTF-8 text") from None
    if not text:
        raise StartError("there is no password on standard input")
    return text


_HEAD = f"{'id':>8}  {'username':<32}  {'what':<12}  display name\n"


def _row(user: Mapping[str, Any]) -> str:
    words = [
        word
        for word, there in (("admin", user["is_admin"]), ("banned", user["banned"]), ("bot", user["is_bot"]))
        if there
    ]
    email = f"  <{printable(user['email'])}>" if user["email"] else ""
    name = printable(user["display_name"])
    return f"{user['id']:>8}  {user['username']:<32}  {' '.join(words):<12}  {name}{email}\n"


def _said(asked: argparse.Namespace, result: Mapping[str, Any]) -> str:
    """What is printed for people, or for programs."""
    name, password = printable(asked.name), result.get("password")
    if getattr(asked, "json", False):
        shown = {key: value for key, value in result.items() if key != "ok" and value is not None}
        return dumps(shown).decode() + "\n"
    if asked.action == "create":
        what = "admin" if result["is_admin"] else "user"
        said = f"create: {name}: {what} {result['id']} made\n"
    else:
        said = f"{asked.action}: {name}: done\n"
    return said if password is None else f"{said}password: {password}\n"
