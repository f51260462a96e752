"""Counts HTTP requests, in plain integers, for metrics."""

from collections import defaultdict
from typing import get_args

from handlers.wire.errors import Code

ROUTES = ("api", "docs", "health", "hooks", "metrics", "socket.io", "ws")
"""First names of paths that are counted on their own."""

OTHER_ROUTES = "other"
"""The web client, and all paths that a stranger may make up."""


class HttpCounts:
    """Numbers that only grow. The keys are the server's own words, never a client's."""

    def __init__(self) -> None:
        self.answers: defaultdict[tuple[str, int], int] = defaultdict(int)
        """By route and status; 101 is a WebSocket."""
        self.errors: dict[Code, int] = dict.fromkeys(get_args(Code), 0)
        """By code: errors that were answered."""

    def answered(self, path: str, status: int) -> None:
        """Counts an answer. `path` begins with a slash."""
        name = path.split("/", 2)[1]
        self.answers[name if name in ROUTES else OTHER_ROUTES, status] += 1
