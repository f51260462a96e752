"""What has happened with files since the start, in plain integers, for metrics."""

from typing import Literal, get_args

from storage.histogram import Histogram

Refusal = Literal["too_large", "quota", "type", "broken", "pixels", "slow", "unavailable"]
"""Why a file was not kept."""

Kept = Literal["picture", "file", "avatar"]
Served = Literal["file", "thumbnail", "avatar"]

PICTURE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class FileCounts:
    """Numbers that only grow; the keys are the server's own words."""

    def __init__(self) -> None:
        self.kept: dict[Kept, int] = dict.fromkeys(get_args(Kept), 0)
        """By kind: files that were kept."""
        self.received_bytes = 0
        """Of files, also of those that were not kept in the end."""
        self.kept_bytes = 0
        """Of files that were kept, without thumbnails."""
        self.refusals: dict[Refusal, int] = dict.fromkeys(get_args(Refusal), 0)
        """By reason: files that were not kept."""
        self.served: dict[Served, int] = dict.fromkeys(get_args(Served), 0)
        """By what was asked for: requests of files that were found, of a part of one too."""
        self.served_bytes = 0
        """What clients have taken of them."""
        self.deleted = 0
        """Files whose bytes were deleted."""
        self.receiving_s = Histogram(SECONDS)
        """How long files took that were kept, from their first byte."""
        self.picture_s = Histogram(PICTURE_SECONDS)
        """How long pictures took in their threads."""
        self.receiving = 0
        """Files that are being received now."""
