"""What the process knows of itself and of its machine."""

from collections.abc import Callable

from domain.frozen import frozen


@frozen
class Host:
    """`disk_free_bytes()` is what is free on the disk of `DATA_DIR`; it may block, so it is called in a thread."""

    version: str = ""
    disk_free_bytes: Callable[[], int] = int
