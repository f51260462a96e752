"""A page of public chats, of those that a store has read."""

from collections.abc import Iterable, Sequence

from domain.models import Chat
from domain.text import name_key

LOOKED_AT_MAX = 2_000
"""How many public chats a store reads for a page: about 10 ms."""


def page_of(chats: Iterable[Chat], text: str, limit: int) -> tuple[Sequence[Chat], int | None]:
    """Those of at most `LOOKED_AT_MAX` chats, in the order of their ids, whose names contain the text; and the id
    after which to go on, None if there are no more. See `storage.ports.Chats.public`."""
    key, found, last_id = name_key(text), list[Chat](), 0
    for count, chat in enumerate(chats, 1):
        if len(found) == limit:
            return found, last_id
        if key in name_key(chat.name or ""):
            found.append(chat)
        last_id = chat.id
        if count == LOOKED_AT_MAX:
            return found, last_id
    return found, None
