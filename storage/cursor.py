"""Where a page of a list ended."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Self

from domain.frozen import frozen
from storage.errors import BadReference

BEYOND = 2**62
"""Above every time and every id."""


@frozen
class Cursor:
    """The last entry of a page, by time in microseconds and id: the next page goes on after it. Outside it is a word
    without a meaning."""

    at: int
    id: int

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.at} {self.id}".encode()).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: `BadReference("cursor")`."""
        try:
            at, entry_id = urlsafe_b64decode(text.encode("ascii")).decode("ascii").split(" ")
            cursor = cls(int(at), int(entry_id))
        except ValueError:
            raise BadReference("cursor") from None
        if str(cursor) != text or not (abs(cursor.at) < BEYOND and 0 < cursor.id < BEYOND):
            raise BadReference("cursor")
        return cursor
