"""Which messages a chat has, and which rows of its log say what they said before: without their contents, so that a
chat of a million messages fits into memory."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.mongo.backup.chat_documents import ChatDocuments
from storage.mongo.log import EDITED, SENT
from storage.ports import VERSIONS_MAX

AT_ONCE = 2000
"""How many rows are read at once."""


@dataclass(slots=True)
class LogIndex:
    """By `seq`: the ids of the messages, and the numbers of the rows that created them. By id: the numbers of the rows
    that edited a message."""

    ids: "array[int]" = field(default_factory=lambda: array("q"))
    created: "array[int]" = field(default_factory=lambda: array("q"))
    edited: dict[int, list[int]] = field(default_factory=dict)

    def add(self, n: int, kind: str, message_id: int) -> None:
        if kind == SENT:
            self.ids.append(message_id)
            self.created.append(n)
        elif kind == EDITED:
            self.edited.setdefault(message_id, []).append(n)

    def before(self, place: int) -> Sequence[int]:
        """The numbers of the rows with what the message at that place said before its last edit, as far as versions are
        kept."""
        edits = self.edited.get(self.ids[place], ())
        return [self.created[place], *edits[:-1][1 - VERSIONS_MAX :]] if edits else ()


async def read_index(documents: ChatDocuments, last_n: int) -> LogIndex:
    """The index of the rows of a chat up to a number. Raises: `Unavailable`."""
    index = LogIndex()
    for first in range(1, last_n + 1, AT_ONCE):
        for row in await documents.index_rows(first, min(first + AT_ONCE - 1, last_n)):
            index.add(row["n"], row["kind"], row["message_id"])
    return index
