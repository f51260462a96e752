"""A file that is being read."""

import threading
from io import BufferedReader
from pathlib import Path

from domain.refusals import NotFound
from storage.files.ports import PIECE_BYTES


class OpenFile:
    """A file that is read in threads. A thread that reads for a caller who is gone may still be at it, or only begin,
    when the file is closed: it must not get another file that has the number of this one."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._file: BufferedReader | None = None
        self._closed = False

    def read(self, start: int, stop: int | None) -> bytes:
        """The next piece; empty at the end. Raises: `NotFound`."""
        with self._lock:
            if self._closed:
                return b""
            if self._file is None:
                self._file = self._open()
            self._file.seek(start)
            return self._file.read(PIECE_BYTES if stop is None else max(0, min(stop - start, PIECE_BYTES)))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()

    def _open(self) -> BufferedReader:
        try:
            return self._place.open("rb")
        except FileNotFoundError:
            raise NotFound("file") from None
