"""What has happened since the start, in plain integers, for metrics."""

from collections import defaultdict
from collections.abc import Iterable
from typing import get_args

from handlers.wire.endings import Ending
from handlers.wire.errors import Code

UNKNOWN_COMMAND = "unknown"
"""The name under which commands are counted that there are not: clients may name any number of those."""


class Counts:
    """Numbers that only grow. Code that does something adds to them; metrics read them.

    The keys are the server's own words, never a client's, so the tables stay small. A command adds one to one table
    with slots around it: 0.1 µs.
    """

    __slots__ = ("done", "endings", "errors", "failed", "left", "refusals", "sent")

    def __init__(self, commands: Iterable[str]) -> None:
        """`commands` are the names of all that there are."""
        self.done = dict.fromkeys(commands, 0)
        """By name: commands that succeeded, but for those in `sent`."""
        self.sent = dict.fromkeys(self.done, 0)
        """By name: commands whose message was stored and acked. A repeat of one is in `done`."""
        self.failed: defaultdict[tuple[str, Code], int] = defaultdict(int)
        """By name and error code: commands that failed. The name of one that does not exist is `UNKNOWN_COMMAND`."""
        self.errors: dict[Code, int] = dict.fromkeys(get_args(Code), 0)
        """By code: errors that the socket gates sent."""
        self.refusals: dict[Ending, int] = dict.fromkeys(Ending, 0)
        """Connections that were not accepted."""
        self.endings: dict[Ending, int] = dict.fromkeys(Ending, 0)
        """Accepted connections that the server ended."""
        self.left = 0
        """Accepted connections that their clients ended, or that broke."""
