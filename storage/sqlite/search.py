"""Search: the index that is kept in the background, and what asks it."""

from collections.abc import Sequence

from domain.models import Message
from storage.errors import NotIndexed
from storage.search import Place, SearchRequest
from storage.sqlite import search_query
from storage.sqlite.database import Database
from storage.sqlite.search_indexer import SearchIndexer


class SqliteSearch:
    """See `storage.ports.Search`."""

    def __init__(self, database: Database, indexer: SearchIndexer) -> None:
        self._database = database
        self._indexer = indexer

    async def messages(self, user_id: int, request: SearchRequest) -> tuple[Sequence[Message], str | None]:
        after = Place.parse(request.cursor)
        if not await self._indexer.ready():
            raise NotIndexed(f"older messages are being indexed, {self._indexer.done_percent} % are done")
        return await self._database.read(search_query.page, user_id, request, after)
