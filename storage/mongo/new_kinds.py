"""The kinds of changes that came after the first version, noted in the document of each chat that has rows of them.

A server does not read the rows that others have projected before it came. The note tells it that one of them is of a
kind that it does not know, so that it does not serve the chat. The note is written along with the projection of the
row, and before `n` passes the row.
"""

from storage.mongo.database import Document
from storage.mongo.log import Row
from storage.mongo.row_codecs import UnknownKind, logged_kind

_FIRST_KINDS = frozenset(
    ("sent", "edited", "deleted", "opened", "renamed", "closed", "added", "removed", "role")
)
"""The kinds that every version knows. This set does not grow."""


def note_of(row: Row) -> Document:
    """The field of the chat's document that notes the kind of the row; empty for a kind that every version knows."""
    return {} if row.kind in _FIRST_KINDS else {f"kinds.{row.kind}": row.n}


def unknown_kind(chat: Document) -> str | None:
    """A kind that is noted in the document of a chat and that this version does not know; None if there is none."""
    return next((kind for kind in chat.get("kinds", ()) if logged_kind(kind) is None), None)


def check_kinds(chat: Document) -> None:
    """Raises: `Unavailable` if this version does not know all kinds that are noted in the document of a chat."""
    kind = unknown_kind(chat)
    if kind is not None:
        raise UnknownKind(chat["id"], kind).unavailable()
