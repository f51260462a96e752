"""What has happened with files since the start, in plain integers, for metrics."""

from collections import defaultdict
from typing import Literal

from storage.histogram import Histogram

Refusal = Literal["too_large", "quota", "type", "broken", "pixels", "slow", "broken_off", "full"]
"""Why a file was not kept."""

Served = Literal["file", "thumbnail", "avatar"]

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class FileCounts:
    """Numbers that only grow; the keys are the server's own words."""

    def __init__(self) -> None:
        self.kept: defaultdict[str, int] = defaultdict(int, dict.fromkeys(("picture", "file", "avatar"), 0))
        """By kind: files that were kept."""
        self.received_bytes = 0
        """Of files, also of those that were not kept in the end."""
        self.kept_bytes = 0
        """Of files that were kept, without thumbnails."""
        self.refusals: defaultdict[Refusal, int] = defaultdict(int)
        """By reason: files that were not kept."""
        self.served: defaultdict[Served, int] = defaultdict(int)
        """Answers with bytes of a file, or a part of it."""
        self.served_bytes = 0
        """What clients have taken of them."""
        self.deleted = 0
        """Files whose bytes were deleted."""
        self.receiving_s = Histogram(SECONDS)
        """How long files took that were kept, from their first byte."""
        self.receiving = 0
        """Files that are being received now."""
