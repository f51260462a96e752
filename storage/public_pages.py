"""A page of public chats, of those that a store has read."""

from collections.abc import Iterable, Sequence

from domain.models import Chat
from domain.text import name_key

LOOKED_AT_MAX = 2_000
"""How many public chats a store reads for a page at most: about 10 ms."""


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


def to_look_at(text: str, limit: int) -> int:
    """How many chats a store reads for a page of at most `limit`: one more than the page has, if all of them fit."""
    return LOOKED_AT_MAX if name_key(text) else min(limit + 1, LOOKED_AT_MAX)


def end_of(chat_ids: Sequence[int], looked_at: int) -> int | None:
    """The id after which there may be more chats than these, of which a store has read at most `looked_at`; None if
    these are the last."""
    return chat_ids[-1] if len(chat_ids) == looked_at else None
