"""Where a page of the chat list ended."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Self

from storage.errors import BadReference
from storage.frozen import frozen

BEYOND = 2**62
"""Above every activity and every id."""


@frozen
class Cursor:
    """The last chat of a page: the next page goes on below it. Outside it is a word without a meaning."""

    activity: int
    chat_id: int

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.activity} {self.chat_id}".encode()).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: `BadReference("cursor")`."""
        try:
            activity, chat_id = urlsafe_b64decode(text.encode("ascii")).decode("ascii").split(" ")
            cursor = cls(int(activity), int(chat_id))
        except ValueError:
            raise BadReference("cursor") from None
        if str(cursor) != text or not (abs(cursor.activity) < BEYOND and 0 < cursor.chat_id < BEYOND):
            raise BadReference("cursor")
        return cursor
