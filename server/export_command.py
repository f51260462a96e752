"""`vestnik export`: a chat, or what a person has said, for people and programs to read."""

import argparse
import time
from collections.abc import Awaitable
from pathlib import Path

from handlers.wire.schemas import ID_MAX
from server.command_line import (
    check_texts,
    failing_in_one_line,
    prepare_output,
    print_result,
    printable,
    snapshot_of,
)
from server.config import Config
from server.exports.chat_export import export_chat
from server.exports.export import Exported
from server.exports.folder import new_folder
from server.exports.user_export import export_user
from server.progress import Progress
from server.start_error import StartError
from server.stoppable import stoppable
from storage.backup_ports import Snapshot


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--chat", type=int, metavar="ID", help="everything that is said in a chat")
    what.add_argument("--user", metavar="NAME", help="what a person has said in all chats, and their account")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        help="the folder to be made (default: vestnik-chat-ID or vestnik-user-NAME)",
    )
    parser.add_argument("--no-files", action="store_true", help="leave uploads out")


async def run_export_command(config: Config, asked: argparse.Namespace) -> int:
    """Makes an export, and prints what is in it. Returns the exit status. Raises: `StartError`."""
    prepare_output(as_json=False)
    began_s = time.monotonic()
    check_texts([asked.user or ""])
    if asked.chat is not None and not 0 < asked.chat <= ID_MAX:
        raise StartError(f"export: there is no chat {asked.chat}")
    if asked.out == "":
        raise StartError("export: --out is the name of a folder")
    out = asked.out or (
        f"vestnik-chat-{asked.chat}" if asked.user is None else f"vestnik-user-{_plain(asked.user)}"
    )
    with failing_in_one_line("export", printable(out)):
        try:
            exported = await stoppable(_export(config, asked, out))
        except StartError as error:
            raise StartError(f"export: {printable(str(error))}") from None
    print_result("export", f"export: {_said(out, exported)}, in {time.monotonic() - began_s:.1f} s\n", None)
    return 0


def _plain(name: str) -> str:
    """The name as a part of that of a folder."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name)[:64]


async def _export(config: Config, asked: argparse.Namespace, out: str) -> Exported:
    with new_folder(out) as folder:
        snapshot = await snapshot_of(config)
        progress = Progress("export", await snapshot.progress_total())
        try:
            return await _into(folder, snapshot, asked, progress)
        finally:
            progress.end()
            await snapshot.close()


def _into(
    folder: Path, snapshot: Snapshot, asked: argparse.Namespace, progress: Progress
) -> Awaitable[Exported]:
    if asked.user is None:
        return export_chat(snapshot, asked.chat, folder, with_files=not asked.no_files, progress=progress)
    return export_user(snapshot, asked.user, folder, with_files=not asked.no_files, progress=progress)


def _said(out: str, exported: Exported) -> str:
    missing = f" ({exported.missing_files:,} were deleted meanwhile)" if exported.missing_files else ""
    counts = f"{exported.messages:,} messages, {exported.files:,} files{missing}"
    return f"{printable(exported.name)}: {counts} in {printable(out)}"
