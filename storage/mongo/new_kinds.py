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


ATTACHMENTS_FORMAT = 3
"""The format (`versions`) from which on messages have attachments. Nodes that do not know them would leave the files of
deleted messages where they are."""

_ATTACHED = "attached"
"""What is noted, like a kind, of a chat with a message that has attachments."""


def note_of(row: Row) -> Document:
    """The field of the chat's document that notes the kind of the row; empty for a kind that every version knows."""
    if row.kind in _FIRST_KINDS:
        return {f"kinds.{_ATTACHED}": row.n} if row.message is not None and row.message.attachments else {}
    return {f"kinds.{row.kind}": row.n}


def unknown_kind(chat: Document) -> str | None:
    """A kind that is noted in the document of a chat and that this version does not know; None if there is none."""
    kinds = chat.get("kinds", ())
    return next((kind for kind in kinds if logged_kind(kind) is None and kind != _ATTACHED), None)


def check_kinds(chat: Document) -> None:
    """Raises: `Unavailable` if this version does not know all kinds that are noted in the document of a chat."""
    kind = unknown_kind(chat)
    if kind is not None:
        raise UnknownKind(chat["id"], kind).unavailable()
