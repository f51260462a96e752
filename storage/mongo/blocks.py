"""Whom users have blocked.

A block is a document; the private chat of the two says the same in its log. The document is written first. Who writes
to the log then reads the document again, and so does who creates the chat: the last of them says what holds.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.decisions.blocks import check_block
from domain.decisions.private_chats import follow_block
from domain.decisions.view import MemberView
from domain.private_chats import MemberBlocked
from storage.mongo.chat_view import accounts_of, blockers_of
from storage.mongo.chat_writes import ChatWrite
from storage.mongo.database import Database, Document
from storage.mongo.documents import member_key
from storage.mongo.writer import Writer
from storage.times import to_micros


class MongoBlocks:
    """See `storage.ports.Blocks`."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def block(self, user_id: int, blocked_id: int, at: datetime) -> None:
        database = self._database
        if user_id not in await blockers_of(database, blocked_id, [user_id]):
            account = (await accounts_of(database, [blocked_id])).get(blocked_id)
            blocks = await database.with_retry(
                lambda: database.user_blocks.count_documents({"user_id": user_id})
            )
            check_block(account, blocked_id, blocks)
            await database.add(database.user_blocks, block_document(user_id, blocked_id, at))
        # Also if the block was there: a node may have died before its chat said so.
        await self._follow(user_id, blocked_id)

    async def unblock(self, user_id: int, blocked_id: int) -> None:
        database = self._database
        await database.with_retry(lambda: database.user_blocks.delete_one({"_id": _key(user_id, blocked_id)}))
        await self._follow(user_id, blocked_id)

    async def blocked_by(self, user_id: int, *, after_id: int, limit: int) -> Sequence[int]:
        database, wanted = self._database, {"user_id": user_id, "blocked_id": {"$gt": after_id}}
        found = await database.find(
            database.user_blocks, wanted, sort=[("blocked_id", 1)], limit=limit, fields=["blocked_id"]
        )
        return [one["blocked_id"] for one in found]

    async def _follow(self, user_id: int, blocked_id: int) -> None:
        """Says in the private chat of the two, if there is one, what the block says."""
        users, pairs = " ".join(map(str, sorted((user_id, blocked_id)))), self._database.pairs
        entries = await self._database.find(pairs, {"users": users}, sort=[("generation", -1)], limit=1)
        if entries:
            await follow(self._writer, entries[0]["chat_id"], user_id, blocked_id)


async def follow(writer: Writer, chat_id: int, user_id: int, blocked_id: int) -> None:
    """Says in a private chat what the block of one member by the other says, until nobody has changed it meanwhile."""
    holds = False

    def decide(view: MemberView) -> MemberBlocked | None:
        nonlocal holds
        holds = user_id in view.blockers_of(blocked_id, [user_id])
        return follow_block(view, chat_id, (user_id, blocked_id))

    while True:
        await writer.submit(ChatWrite(chat_id, decide))
        if holds == (user_id in await blockers_of(writer.database, blocked_id, [user_id])):
            return


async def check_new_chat(writer: Writer, chat_id: int, user_ids: Sequence[int]) -> None:
    """Says in a private chat that was just created what the blocks of the two users say: they may have changed while
    it was created, and found no chat."""
    database, (one, other) = writer.database, user_ids
    documents = await database.get_many(
        database.members, [member_key(chat_id, user_id) for user_id in user_ids]
    )
    said = {document["user_id"]: document.get("blocked", False) for document in documents}
    for blocker_id, blocked_id in ((one, other), (other, one)):
        holds = blocker_id in await blockers_of(database, blocked_id, [blocker_id])
        if blocked_id in said and said[blocked_id] != holds:
            await follow(writer, chat_id, blocker_id, blocked_id)


def block_document(user_id: int, blocked_id: int, at: datetime) -> Document:
    return {
        "_id": _key(user_id, blocked_id),
        "user_id": user_id,
        "blocked_id": blocked_id,
        "at": to_micros(at),
    }


def _key(user_id: int, blocked_id: int) -> str:
    return f"{user_id}:{blocked_id}"
