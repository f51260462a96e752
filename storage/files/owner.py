"""Whose a folder of files is.

A server deletes the files in its folder that its database does not know. So two databases must not share a folder, as
they would where two servers, or one server with another `DATABASE_URL`, have the same `DATA_DIR`. A file beside the
folder, `<folder>.store`, has the id of the store that used the folder first. Another store gets a folder of its own.
"""

import logging
import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_log = logging.getLogger(__name__)

_ID_CHARS = 12
"""How much of the id of a store is in the name of its own folder."""


def own_folder(folder: Path, store_id: str) -> Path:
    """The folder, unless another store has it; then one beside it. The folder itself is not made. Where the note cannot
    be written, no files can be kept either, mostly: the folder is used as it is."""
    note = note_of(folder)
    with suppress(OSError):
        if _owner(note) is None:
            _claim(note, store_id)
        if _owner(note) not in (None, store_id):
            own = own_name(folder, store_id)
            _log.warning("%s has the files of another database; those of this one are in %s", folder, own)
            return own
    return folder


def planned_folder(folder: Path, store_id: str, gone: Collection[str]) -> Path:
    """The folder that `give_folder` will give."""
    return folder if _owner(note_of(folder)) in (None, store_id, *gone) else own_name(folder, store_id)


def give_folder(folder: Path, store_id: str, gone: Collection[str]) -> Path:
    """Gives a new store its folder: this one, if nobody has it or one of the stores that are gone, else one beside it.
    It may have files, but none of a store that is there. Raises: `OSError`."""
    note = note_of(folder)
    if _owner(note) in gone:
        note.unlink()
    if _owner(note) is None:
        _claim(note, store_id)
    return planned_folder(folder, store_id, ())


def folder_of(folder: Path, store_id: str) -> Path:
    """The folder that `own_folder` gave this store, without claiming any."""
    if _owner(note_of(folder)) in (None, store_id):
        return folder
    return own_name(folder, store_id)


def note_of(folder: Path) -> Path:
    """The file that says whose the folder is."""
    return folder.with_name(f"{folder.name}.store")


def own_name(folder: Path, store_id: str) -> Path:
    """The folder that a store has if another one has the first."""
    return folder.with_name(f"{folder.name}-{store_id[:_ID_CHARS]}")


def _owner(note: Path) -> str | None:
    """Who has the folder; None if nobody has."""
    try:
        return note.read_text("utf8").strip() or None
    except FileNotFoundError:
        return None


def _claim(note: Path, store_id: str) -> None:
    """Notes the owner, all of it at once. Of several servers that start at the same time, the first wins."""
    note.parent.mkdir(parents=True, exist_ok=True)
    new = note.with_name(f"{note.name}.{secrets.token_hex(8)}")
    try:
        new.touch(0o600)
        new.write_text(store_id, "utf8")
        with suppress(FileExistsError):
            _give_name(new, note)
    finally:
        new.unlink(missing_ok=True)


def _give_name(new: Path, note: Path) -> None:
    try:
        os.link(new, note)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        new.rename(note)
