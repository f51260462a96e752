"""`vestnik check`: whether what the store, or a backup, holds is right."""

import argparse
import os
import time
from functools import partial
from typing import Any

from handlers.wire.json import dumps
from server.backup_command import counts_text
from server.backup_file import STANDARD, old_file
from server.command_line import failing_in_one_line, prepare_output, print_text, printable, snapshot_of
from server.config import Config
from server.progress import Progress
from server.sizes import size_text
from server.start_error import StartError
from server.stoppable import stoppable
from storage.backup.digests import Part
from storage.backup.errors import BadBackup
from storage.check.checking import Checked, check_backup, check_store


def add_check_options(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="a backup to be checked in place of the store; - is standard input",
    )
    parser.add_argument("--digests", action="store_true", help="print the digest of each chat too")
    parser.add_argument("--json", action="store_true", help="print a JSON object, with the digests")


async def run_check_command(config: Config, asked: argparse.Namespace) -> int:
    """Checks, and prints a line for everything that is wrong. Returns the exit status: 1 if anything is. Raises:
    `StartError` if it cannot be checked."""
    prepare_output(as_json=asked.json)
    began_s = time.monotonic()
    shown = _shown(asked.file)
    with failing_in_one_line("check", shown):
        try:
            if asked.file is None:
                checked = await stoppable(_check_store(config))
            else:
                checked = await stoppable(_check_backup(config, asked.file))
        except BadBackup as error:
            raise StartError(f"check: {shown}: {printable(str(error))}") from None
    seconds = time.monotonic() - began_s
    text = _json(checked) if asked.json else _text(checked, seconds, with_digests=asked.digests)
    try:
        print_text(text)
    except OSError as error:
        raise StartError(f"the output could not be written: {error.strerror}") from None
    return 1 if checked.findings else 0


async def _check_store(config: Config) -> Checked:
    snapshot = await snapshot_of(config)
    progress = Progress("check", await snapshot.progress_total())
    try:
        return await check_store(snapshot, partial(snapshot_of, config), progress)
    finally:
        progress.end()


async def _check_backup(config: Config, name: str) -> Checked:
    with old_file(name, config.data_dir) as file:
        progress = Progress("check", os.fstat(file.fileno()).st_size)
        try:
            return await check_backup(file, progress)
        finally:
            progress.end()


def _shown(name: str | None) -> str:
    if name is None:
        return "the store"
    return "standard input" if name == STANDARD else printable(name)


def _text(checked: Checked, seconds: float, *, with_digests: bool) -> str:
    lines = [printable(finding.line) for finding in checked.findings]
    if with_digests:
        lines += [
            f"{_name(part)}: {part.messages:,} messages, digest {part.digest}" for part in checked.parts
        ]
    found = len(checked.findings)
    said = "all is right" if not found else f"{found:,} finding{'' if found == 1 else 's'}"
    contents = f"{counts_text(checked.counts, checked.files)}, {size_text(checked.files_bytes)} of files"
    return "".join(f"check: {line}\n" for line in [*lines, f"{contents}: {said}, in {seconds:.1f} s"])


def _name(part: Part) -> str:
    return "no chat" if part.chat_id is None else f"chat {part.chat_id}"


def _json(checked: Checked) -> str:
    found: dict[str, Any] = {
        "findings": [{"chat_id": one.chat_id, "text": one.text} for one in checked.findings],
        "counts": dict(checked.counts),
        "files": checked.files,
        "files_bytes": checked.files_bytes,
        "parts": [
            {"chat_id": part.chat_id, "counts": dict(part.counts), "digest": part.digest}
            for part in checked.parts
        ],
    }
    return dumps(found).decode() + "\n"
