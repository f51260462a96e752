"""What both kinds of export share: the folder with its lines, its page and its files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from domain.frozen import frozen
from server.exports.folder import ExportedFiles, new_text
from server.exports.lines import Lines
from storage.backup_ports import Record, Snapshot

Progress = Callable[[int], None]
"""Is called with how many messages were looked at."""


@frozen
class Exported:
    """What is in an export."""

    name: str
    messages: int
    files: int
    missing_files: int


@frozen
class Output:
    """Where an export goes."""

    lines: Lines
    page: TextIO
    files: ExportedFiles


@contextmanager
def output_in(folder: Path, snapshot: Snapshot, *, with_files: bool) -> Iterator[Output]:
    """The files of an export in an empty folder: `messages.jsonl`, `index.html`, and `files/`."""
    with new_text(folder / "messages.jsonl") as lines, new_text(folder / "index.html") as page:
        yield Output(Lines(lines), page, ExportedFiles(snapshot, folder, wanted=with_files))


def name_of(user: Record) -> str:
    """The name to show of an account."""
    return str(user["display_name"] or user["username"])


def minute(time: str) -> str:
    """A time for people."""
    return f"{time[:16].replace('T', ' ')} UTC"
