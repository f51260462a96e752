"""The rows of the log of a chat, and the documents of its messages, many at a time."""

from collections.abc import Iterable, Sequence

from storage.mongo.database import Database, Document
from storage.mongo.log import row_key

_AT_ONCE = 200
"""How many documents one answer of FerretDB brings: for more it may need longer than a call may take."""

_INDEX_FIELDS = ("n", "kind", "message_id")


class ChatDocuments:
    """MongoDB finds what is asked for by its indexes. FerretDB looks at all documents of a collection for each query:
    there, all rows of the chat are read when some are asked for first, and so are all messages; and kept in memory."""

    def __init__(self, database: Database, chat_id: int) -> None:
        self._database = database
        self._chat_id = chat_id
        self._rows: dict[int, Document] = {}
        self._messages: dict[int, Document] = {}

    async def index_rows(self, first: int, last: int) -> Sequence[Document]:
        """The rows with these numbers in their order, at least with number, kind and message. Raises: `Unavailable`."""
        database = self._database
        if not database.finds_many:
            rows = await self._all_rows()
            return [rows[n] for n in range(first, last + 1) if n in rows]
        span = {"chat_id": self._chat_id, "n": {"$gte": first, "$lte": last}}
        return await database.find(database.changes, span, sort=[("n", 1)], fields=_INDEX_FIELDS)

    async def rows(self, numbers: Iterable[int]) -> Sequence[Document | None]:
        """The rows with these numbers, in this order. Raises: `Unavailable`."""
        database = self._database
        if not database.finds_many:
            rows = await self._all_rows()
            return [rows.get(n) for n in numbers]
        return await database.get_each(database.changes, [row_key(self._chat_id, n) for n in numbers])

    async def messages(self, message_ids: Sequence[int]) -> Sequence[Document | None]:
        """The documents of these messages, in this order. Raises: `Unavailable`."""
        database = self._database
        if not database.finds_many:
            if not self._messages:
                of_chat = {"chat_id": self._chat_id}
                found = await database.find(database.messages, of_chat, at_once=_AT_ONCE)
                self._messages = {int(one["_id"]): one for one in found}
            return [self._messages.get(one) for one in message_ids]
        return await database.get_each(database.messages, [str(one) for one in message_ids])

    async def _all_rows(self) -> dict[int, Document]:
        if not self._rows:
            database, of_chat = self._database, {"chat_id": self._chat_id}
            found = await database.find(database.changes, of_chat, at_once=_AT_ONCE)
            self._rows = {row["n"]: row for row in found}
        return self._rows
