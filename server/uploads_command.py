"""`vestnik uploads`: how many files there are, and the largest, of a running server and of a stopped one."""

import argparse
from collections.abc import Mapping
from typing import Any

from domain.refusals import Refusal
from handlers.operator import UPLOADS_MAX
from handlers.wire.errors import ChatError
from handlers.wire.json import dumps
from server.command_line import act, error_line, prepare_output, print_text, printable
from server.config import Config
from server.sizes import size_text
from server.start_error import StartError
from storage.errors import StorageError

_LARGEST = 20

_HEAD = f"{'size':>10}  {'created':<16}  {'username':<32}  {'message':>9}  name\n"


def add_uploads_options(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "--largest",
        type=int,
        default=_LARGEST,
        metavar="N",
        help=f"how many of the largest are printed, at most {UPLOADS_MAX} (default: {_LARGEST})",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


async def run_uploads_command(config: Config, asked: argparse.Namespace) -> int:
    """Prints what there is. Returns the exit status. Raises: `StartError`."""
    prepare_output(as_json=asked.json)
    if not 0 <= asked.largest <= UPLOADS_MAX:
        raise StartError(f"--largest is a number from 0 to {UPLOADS_MAX}")
    try:
        found = await act(config, "uploads", {"user": "", "largest": asked.largest})
    except (ChatError, Refusal, StorageError) as raised:
        raise StartError(error_line(raised)) from None
    try:
        print_text(_json(found) if asked.json else _text(found))
    except OSError as error:
        raise StartError(f"the output could not be written: {error.strerror}") from None
    return 0


def _json(found: Mapping[str, Any]) -> str:
    return dumps({key: value for key, value in found.items() if key != "ok"}).decode() + "\n"


def _text(found: Mapping[str, Any]) -> str:
    said = f"{found['count']} files, {size_text(found['size_bytes'])}\n"
    rows = "".join(map(_row, found["largest"]))
    return said + (_HEAD + rows if rows else "")


def _row(upload: Mapping[str, Any]) -> str:
    """A line about a file. It has no message if its sender has not sent it yet, or gave up."""
    message = "-" if upload["message_id"] is None else str(upload["message_id"])
    created = str(upload["created_at"])[:16].replace("T", " ")
    return (
        f"{size_text(upload['size_bytes']):>10}  {created}  {printable(upload['username']):<32}  {message:>9}"
        f"  {printable(upload['name'])}\n"
    )
