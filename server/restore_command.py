"""`vestnik restore`: fills an empty place from a backup."""

import argparse
import os
import sys
import time
from contextlib import suppress
from typing import BinaryIO

from server.backup_command import counts_text
from server.backup_file import STANDARD, old_file
from server.command_line import failing_in_one_line, print_text, printable
from server.config import Config
from server.progress import Progress
from server.start_error import StartError
from server.stoppable import stoppable
from storage.backup.errors import BadBackup
from storage.backup.filling import fill, verify
from storage.backup.reading import Manifest
from storage.backup_ports import Restoration
from storage.open import open_restoration


def add_restore_options(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("file", metavar="FILE", help="a file that `vestnik backup` made; - is standard input")


async def run_restore_command(config: Config, asked: argparse.Namespace) -> int:
    """Restores a backup, and prints what was in it. Returns the exit status. Raises: `StartError`."""
    began_s = time.monotonic()
    shown = "standard input" if asked.file == STANDARD else printable(asked.file)
    with failing_in_one_line("restore", shown):
        try:
            manifest = await stoppable(_restore(config, asked.file))
        except BadBackup as error:
            raise StartError(f"restore: {shown}: {printable(str(error))}") from None
    contents = counts_text(manifest.counts, manifest.files)
    print_text(
        f"restore: {shown}: {contents}, in {time.monotonic() - began_s:.1f} s; everybody has to log in again\n"
    )
    return 0


async def _restore(config: Config, name: str) -> Manifest:
    with old_file(name, config.data_dir) as file:
        restoration = await open_restoration(
            config.store_url(),
            connect_timeout_s=config.database_connect_timeout_s,
            files_folder=config.uploads_dir,
            lease_s=config.node_lease_s,
            say=_say,
        )
        try:
            return await _fill(file, restoration)
        finally:
            await restoration.close()


def _say(line: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"restore: {line}\n")
        sys.stderr.flush()


async def _fill(file: BinaryIO, restoration: Restoration) -> Manifest:
    size_bytes = os.fstat(file.fileno()).st_size
    checking = Progress("checking the file", size_bytes)
    try:
        manifest = await verify(file, checking)
    finally:
        checking.end()
    file.seek(0)
    writing = Progress("writing", size_bytes)
    comparing = Progress("comparing", manifest.counts.get("message", 0))
    try:
        return await fill(file, restoration, writing, comparing)
    finally:
        comparing.end()
