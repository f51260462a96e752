"""What the process knows of itself and of its machine."""

from collections.abc import Callable
from pathlib import Path

from domain.frozen import frozen


@frozen
class Host:
    """`disk_free_bytes()` is what is free on the disk of `DATA_DIR`; it may block, so it is called in a thread. `spool`
    is the folder of temporary files; None: that of the system."""

    version: str = ""
    disk_free_bytes: Callable[[], int] = int
    spool: Path | None = None
