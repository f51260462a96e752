"""How far a command is, on a terminal."""

import sys
import time

_EVERY_S = 0.1
_WIDTH = 30


class Progress:
    """A bar on standard error, if that is a terminal; else nothing."""

    def __init__(self, what: str, total: int) -> None:
        """`what` is going on, `total` what counts as all of it."""
        self._what = what
        self._total = total
        self._shown_at = 0.0
        self._shows = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        """Shows how much is done."""
        if self._shows and time.monotonic() - self._shown_at >= _EVERY_S:
            self._shown_at = time.monotonic()
            part = min(1.0, done / self._total) if self._total else 1.0
            bar = "#" * round(part * _WIDTH)
            self._write(f"\r{self._what} [{bar:<{_WIDTH}}] {part:4.0%}")

    def end(self) -> None:
        """Takes the bar away."""
        if self._shows and self._shown_at:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self._shows = False
