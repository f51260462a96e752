"""`vestnik backup`: everything that the store holds, in one file, whether a server runs or not."""

import argparse
import sys
import time
from collections.abc import Mapping

from server.backup_file import STANDARD, new_file
from server.command_line import failing_in_one_line, print_text, printable, snapshot_of
from server.config import Config
from server.progress import Progress
from server.sizes import size_text
from server.stoppable import stoppable
from server.version import VERSION
from storage.backup.making import Made, make_backup


def add_backup_options(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="the file to be made, in place of an earlier backup; - is standard output",
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it is no backup, too")


async def run_backup_command(config: Config, asked: argparse.Namespace) -> int:
    """Makes a backup, and prints what is in it. Returns the exit status. Raises: `StartError`."""
    began_s = time.monotonic()
    shown = "standard output" if asked.file == STANDARD else printable(asked.file)
    with failing_in_one_line("backup", shown):
        made = await stoppable(_make(config, asked.file, force=asked.force))
    said = f"backup: {shown}: {_contents(made)}, in {time.monotonic() - began_s:.1f} s\n"
    if asked.file == STANDARD:
        sys.stderr.write(said)
    else:
        print_text(said)
    return 0


async def _make(config: Config, name: str, *, force: bool) -> Made:
    with new_file(name, force=force) as out:
        snapshot = await snapshot_of(config)
        try:
            progress = Progress("backup", await snapshot.progress_total())
            try:
                made = await make_backup(
                    snapshot,
                    out,
                    version=VERSION,
                    progress=lambda now: progress(now.counts.get("message", 0)),
                )
                out.flush()
                return made
            finally:
                progress.end()
        finally:
            await snapshot.close()


def _contents(made: Made) -> str:
    missing = f" ({made.missing_files:,} were deleted meanwhile)" if made.missing_files else ""
    return f"{counts_text(made.counts, made.files)}{missing}, {size_text(made.written_bytes)}"


def counts_text(counts: Mapping[str, int], files: int) -> str:
    """What a backup has, for people."""
    numbers = [(counts.get(kind, 0), kind) for kind in ("user", "chat", "message")] + [(files, "file")]
    return ", ".join(f"{number:,} {noun}{'' if number == 1 else 's'}" for number, noun in numbers)
