"""Search: messages have their words in an indexed field of their documents."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from domain.models import Message
from domain.search import Query, cut, matches_message
from storage.errors import NotIndexed, Unavailable
from storage.mongo import chat_list, history
from storage.mongo.database import Database, Document
from storage.mongo.documents import message_of
from storage.mongo.search_fill import SearchFill
from storage.search import COST_MAX_S, Place, SearchRequest, page_of, place_of
from storage.sizes import PageBudget, message_bytes

LOOKED_AT_MAX = 10_000
"""How many messages with the words of a query are compared with it for a page; mostly nearly all of them match."""

_HELD_MAX_S = 0.005
"""How long messages are compared before others get their turn: a long one takes milliseconds."""

_BEYOND_WORDS = "\U0010ffff"
"""Follows every character of a word."""


class MongoSearch:
    """See `storage.ports.Search`."""

    def __init__(self, database: Database, fill: SearchFill) -> None:
        self._database = database
        self._fill = fill

    async def messages(self, user_id: int, request: SearchRequest) -> tuple[Sequence[Message], str | None]:
        after = Place.parse(request.cursor)
        if not await self._fill.complete():
            raise NotIndexed("older messages are being indexed")
        chat_ids = await chat_list.ids_of(self._database, user_id)
        if request.chat_id is not None:
            chat_ids = [one for one in chat_ids if one == request.chat_id]
        if not chat_ids:
            return (), None
        found, following = await self._page(_wanted(request, chat_ids, after), request)
        served = {
            chat_id: await self._is_served(chat_id, asked=request.chat_id is not None)
            for chat_id in {message.chat_id for message in found}
        }
        return [message for message in found if served[message.chat_id]], following

    async def _is_served(self, chat_id: int, *, asked: bool) -> bool:
        """Whether the chat is there. One that only newer nodes serve is left out, or refused to those who ask for it.
        Raises: `Unavailable`."""
        try:
            return await history.exists(self._database, chat_id)
        except Unavailable as error:
            if asked or error.trouble != "newer":
                raise
            return False

    async def _page(self, wanted: Document, request: SearchRequest) -> tuple[Sequence[Message], str | None]:
        async def query() -> tuple[Sequence[Message], str | None]:
            budget, found, last = PageBudget(request.max_bytes), list[Message](), None
            order = [("created_at", -1), ("chat_id", -1), ("seq", -1)]
            cursor = self._database.messages.find(wanted).sort(order).limit(LOOKED_AT_MAX)
            looked_at, cost_s, held_s = 0, 0.0, 0.0
            async for document in cursor.batch_size(history.READ_AT_ONCE):
                began_s = time.thread_time()
                last = message_of(document)
                is_found = matches_message(request.query, last)
                took_s = time.thread_time() - began_s
                looked_at, cost_s, held_s = looked_at + 1, cost_s + took_s, held_s + took_s
                if is_found:
                    found.append(last)
                    if len(found) > request.limit or not budget.takes(message_bytes(last)):
                        await cursor.close()
                        return page_of(found, request)
                if cost_s > COST_MAX_S:
                    await cursor.close()
                    break
                if held_s > _HELD_MAX_S:
                    held_s = 0.0
                    await asyncio.sleep(0)
            messages, following = page_of(found, request)
            if following is None and last is not None and (looked_at == LOOKED_AT_MAX or cost_s > COST_MAX_S):
                following = str(place_of(last))
            return messages, following

        return await self._database.with_retry(query)


def _wanted(request: SearchRequest, chat_ids: Sequence[int], after: Place) -> Document:
    """The filter of the documents that may match."""
    same_time = {"created_at": after.at, "chat_id": {"$lt": after.chat_id}}
    same_chat = {"created_at": after.at, "chat_id": after.chat_id, "seq": {"$lt": after.seq}}
    wanted: list[Any] = [*_words(request.query)]
    if request.cursor is not None:
        wanted.append({"$or": [{"created_at": {"$lt": after.at}}, same_time, same_chat]})
    if request.sender_id is not None:
        wanted.append({"sender_id": request.sender_id})
    return {"chat_id": {"$in": list(chat_ids)}, "deleted": False, "$and": wanted}


def _words(query: Query) -> Sequence[Document]:
    """The whole of a word is found by itself, so that the index has bounds for it; the beginning of one by a range."""
    words: list[Document] = [{"words": word} for word in query.required()]
    if query.prefix:
        prefix = cut(query.prefix)
        words.append({"words": {"$elemMatch": {"$gte": prefix, "$lt": prefix + _BEYOND_WORDS}}})
    return words
