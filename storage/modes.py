"""Files that hold secrets, and who may read them."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import structlog

log = structlog.get_logger("vestnik")


def warn_of_modes(files: Iterable[Path], holding: str) -> None:
    """Logs one line if somebody but their owner may read or write any of the files. Those that do not exist are
    skipped, and so is a system without such modes."""
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
