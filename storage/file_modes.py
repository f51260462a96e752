"""The permissions of files that hold secrets."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import structlog

log = structlog.get_logger("vestnik")


def warn_of_modes(files: Iterable[Path], holding: str) -> None:
    """Logs one line if users other than their owner may read or write any of the files. Files that do not exist are
    skipped. Does nothing on a system without POSIX modes."""
    if os.name != "posix":
        return
    open_to_others = {str(file): f"{mode:04o}" for file in files if (mode := _mode_of(file)) & 0o077}
    if open_to_others:
        log.warning(
            f"others on this machine may read or write what holds {holding}; chmod 600 it",
            modes=open_to_others,
        )


def _mode_of(file: Path) -> int:
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return 0
