"""What a search asks of a store, and the order of what it finds."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Self

from domain.frozen import frozen
from domain.models import Message
from domain.refusals import BadReference
from domain.search import Query
from storage.cursor import BEYOND
from storage.sizes import fitting_messages
from storage.times import to_micros

COST_MAX_S = 0.1
"""After so much time of a processor, a search answers with what it has found and a cursor."""


@frozen
class SearchRequest:
    """Messages that match the query: those of one chat and by one sender, if these are given; the page after a cursor,
    of at most `limit` messages and `max_bytes` as JSON."""

    query: Query
    limit: int
    chat_id: int | None = None
    sender_id: int | None = None
    cursor: str | None = None
    max_bytes: int | None = None


@frozen
class Place:
    """Where a message stands among those that are found: newest first by `at`, the microseconds of its creation, then
    by chat and number, also descending. Clients see it as an opaque word."""

    at: int
    chat_id: int
    seq: int

    @property
    def key(self) -> tuple[int, int, int]:
        """What places are compared by."""
        return self.at, self.chat_id, self.seq

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.at} {self.chat_id} {self.seq}".encode()).decode()

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """The place before the first of all for None. Raises: `BadReference("cursor")`."""
        if text is None:
            return cls(BEYOND, BEYOND, BEYOND)
        try:
            parts = urlsafe_b64decode(text.encode("ascii")).decode("ascii").split(" ")
            place = cls(*map(int, parts))
        except (ValueError, TypeError):
            raise BadReference("cursor") from None
        if str(place) != text or not all(abs(part) < BEYOND for part in place.key):
            raise BadReference("cursor")
        return place


def place_of(message: Message) -> Place:
    return Place(to_micros(message.created_at), message.chat_id, message.seq)


def page_of(found: Sequence[Message], request: SearchRequest) -> tuple[Sequence[Message], str | None]:
    """The page, and the cursor of the next one, None on the last. `found` has messages in their order, one more than
    the limit if there are as many."""
    fitting = list(fitting_messages(found[: request.limit], request.max_bytes))
    return fitting, str(place_of(fitting[-1])) if len(fitting) < len(found) else None
