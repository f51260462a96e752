"""A page of public chats, of those that a store has read."""

from collections.abc import Iterable, Sequence

from domain.models import Chat
from domain.text import name_key

LOOKED_AT_MAX = 2_000
"""How many public chats a store reads for a page: about 10 ms."""


def page_of(
    chats: Iterable[Chat], text: str, limit: int, *, end: int | None
) -> tuple[Sequence[Chat], int | None]:
    """Those of the chats, which come in the order of their ids, whose names contain the text; and the id after which to
    go on, which is `end` after the last of them. See `storage.ports.Chats.public`."""
    key, found, last_id = name_key(text), list[Chat](), 0
    for chat in chats:
        if len(found) == limit:
            return found, last_id
        if key in name_key(chat.name or ""):
            found.append(chat)
        last_id = chat.id
    return found, end


def end_of(chat_ids: Sequence[int]) -> int | None:
    """The id after which there may be more chats than these, which a store has read; None if these are the last."""
    return chat_ids[-1] if len(chat_ids) == LOOKED_AT_MAX else None
