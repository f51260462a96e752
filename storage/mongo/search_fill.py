"""Gives words to the messages that servers of earlier versions have written."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from pymongo import UpdateOne

from domain.search import RULES
from storage.errors import Unavailable
from storage.mongo.bulk import update_all
from storage.mongo.database import Database, Document
from storage.mongo.documents import message_of
from storage.mongo.search_words import WORDS_FORMAT, word_fields, words_of

log = structlog.get_logger("vestnik")

KEY = "search"
"""The `_id` of the document of `meta` that says how far the work is: `after` is the `_id` of the message that was
looked at last, in descending order."""

_AT_ONCE = 500
_PAUSE_S = 0.02
_LOG_EVERY_S = 10.0
_LOOK_AGAIN_S = 1.0
"""How often is looked whether nodes of an earlier version have gone, or another node is done."""


class SearchFill:
    """Looks at each message once, and goes on where any node stopped.

    Nodes of an earlier version write messages without words, and edit messages without making new words. So the work
    begins when there is none of them, and begins anew if one has come back.
    """

    def __init__(self, database: Database, lowest_format: Callable[[], int]) -> None:
        self._database = database
        self._lowest_format = lowest_format
        self._done = False
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins the work, which ends when all messages have words."""
        self._work = asyncio.get_running_loop().create_task(self._run())

    def older_node(self) -> None:
        """Notes that a node of an earlier version may be running."""
        if self._done and self._lowest_format() < WORDS_FORMAT:
            self._done = False
            self.start()

    async def complete(self) -> bool:
        """Whether all messages have words. Raises: `Unavailable`."""
        if self._lowest_format() < WORDS_FORMAT:
            self.older_node()
            return False
        if not self._done:
            self._done = bool((await self._progress())["done"])
        return self._done

    async def close(self) -> None:
        """Stops in the middle of the work: a node that opens the store later resumes it."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        logged_s = float("-inf")
        looked_at = 0
        while True:
            try:
                if self._lowest_format() < WORDS_FORMAT:
                    await self._keep(_note(after=""))
                    await asyncio.sleep(_LOOK_AGAIN_S)
                    continue
                progress = await self._progress()
                if progress["done"]:
                    self._done = True
                    if looked_at:
                        log.info("old messages are indexed for search", messages=looked_at)
                    return
                looked_at += await self._fill_some(progress["after"])
                if loop.time() - logged_s >= _LOG_EVERY_S:
                    logged_s = loop.time()
                    log.info("old messages are being indexed for search", messages_done=looked_at)
                await asyncio.sleep(_PAUSE_S)
            except Unavailable as error:
                if error.trouble == "closed":
                    return
                await asyncio.sleep(_LOOK_AGAIN_S)
            except Exception as error:
                log.error("indexing for search failed", exc_info=error)
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def _progress(self) -> Document:
        found = await self._database.get(self._database.meta, KEY)
        return found if found is not None and found["rules"] == RULES else _note(after="")

    async def _fill_some(self, after: str) -> int:
        """Looks at the next messages, and notes that. Returns how many there were."""
        some = await self._database.find(
            self._database.messages,
            {"_id": {"$lt": after}} if after else {},
            sort=[("_id", -1)],
            limit=_AT_ONCE,
            fields=["changed_seq", "words_of"],
        )
        await self._give_words(
            [one["_id"] for one in some if one.get("words_of") != words_of(one["changed_seq"])]
        )
        await self._keep(_note(after=some[-1]["_id"]) if some else done_note())
        return len(some)

    async def _give_words(self, keys: Sequence[str]) -> None:
        """Writes the words of messages, but of those that change meanwhile: whoever changes them writes their words."""
        found = await self._database.get_each(self._database.messages, keys)
        updates = [
            UpdateOne(
                {"_id": document["_id"], "changed_seq": document["changed_seq"]},
                {"$set": word_fields(message_of(document))},
            )
            for document in found
            if document is not None
        ]
        await update_all(self._database, self._database.messages, updates)

    async def _keep(self, note: Document) -> None:
        meta = self._database.meta
        await self._database.with_retry(lambda: meta.update_one({"_id": KEY}, {"$set": note}, upsert=True))


def done_note() -> Document:
    """What the document says when all messages have words by the present rules."""
    return {"rules": RULES, "done": True, "after": ""}


def _note(after: str) -> Document:
    return {"rules": RULES, "done": False, "after": after}
