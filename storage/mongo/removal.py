"""Removes what deleted chats leave behind: a chat may have millions of messages, and other writes go on meanwhile.

A chat counts as gone at once, and without it there is no way to its messages. The rows of its log stay, without the
content of messages, so that no number becomes free; its document stays, so that the chat stays deleted.
"""

import asyncio
import logging
from collections.abc import Sequence

from domain.changes import Change, ChatDeleted
from storage.attachments import attachments_of
from storage.errors import Unavailable
from storage.mongo import hook_documents, invite_documents
from storage.mongo.database import Database
from storage.mongo.log import SCRUBBED
from storage.mongo.uploads import MongoUploads

_STEP = 500

_log = logging.getLogger(__name__)


class Remover:
    """Removes what deleted chats leave behind, one chat after the other, until nothing is left."""

    def __init__(self, database: Database, uploads: MongoUploads) -> None:
        self._database = database
        self._uploads = uploads
        self._work: asyncio.Task[None] | None = None
        self._asked = False

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store: starts when a chat was deleted."""
        if any(isinstance(change, ChatDeleted) for change in changes):
            self.start()

    def start(self) -> None:
        """Begins if it is not at work already: there may be something to remove."""
        self._asked = True
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stops in the middle of the work: the server that opens the store next resumes it."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _run(self) -> None:
        try:
            while self._asked:
                self._asked = False
                left = await self._database.find(self._database.chats, {"deleted": True, "swept": False})
                for chat in left:
                    await self._uploads.free_avatar(chat.get("avatar_id"))
                    await self._remove(chat["id"])
        except Unavailable as error:
            _log.warning("removing deleted chats goes on later: %s", error)
        finally:
            self._work = None

    async def _remove(self, chat_id: int) -> None:
        database = self._database
        while True:
            some = await database.find(
                database.messages, {"chat_id": chat_id}, limit=_STEP, fields=["_id", "extra.attachments"]
            )
            if not some:
                break
            attached = [one for message in some for one in message.get("extra", {}).get("attachments", ())]
            if attached:
                await self._uploads.end_attached(attachments_of(attached))
            keys = [message["_id"] for message in some]
            await database.with_retry(lambda keys=keys: database.messages.delete_many({"_id": {"$in": keys}}))  # type: ignore[misc]
        await self._scrub(chat_id)
        for collection in (database.members, database.bans, database.audit):
            await database.with_retry(lambda one=collection: one.delete_many({"chat_id": chat_id}))  # type: ignore[misc]
        await invite_documents.remove_of(database, chat_id)
        await hook_documents.remove_of(database, chat_id)
        await database.with_retry(
            lambda: database.chats.update_one(
                {"_id": str(chat_id)}, {"$set": {"swept": True, "avatar_id": None}}
            )
        )

    async def _scrub(self, chat_id: int) -> None:
        database, start = self._database, 1
        last = await database.find(database.changes, {"chat_id": chat_id}, sort=[("n", -1)], limit=1)
        while last and start <= last[0]["n"]:
            span = {
                "chat_id": chat_id,
                "n": {"$gte": start, "$lt": start + _STEP},
                "message_id": {"$ne": None},
            }
            await database.with_retry(lambda span=span: database.changes.update_many(span, SCRUBBED))  # type: ignore[misc]
            start += _STEP
