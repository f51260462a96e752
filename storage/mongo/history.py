"""Reading messages: one, a stretch, what changed, the newest, how many are unread."""

from collections.abc import Mapping, Sequence
from typing import Any

from storage.models import Message, Page
from storage.mongo.database import Database, Document
from storage.mongo.documents import message_of
from storage.mongo.schema import BY_SENDER
from storage.ports import UNREAD_LIMIT
from storage.unread import LOOK_BACK, tally

_END = 2**62


async def get(database: Database, message_id: int) -> Message | None:
    """The message or its tombstone; None also if its chat is gone."""
    document = await database.get(database.messages, str(message_id))
    if document is None or not await exists(database, document["chat_id"]):
        return None
    return message_of(document)


async def exists(database: Database, chat_id: int) -> bool:
    """The messages of a deleted chat are removed little by little."""
    chat = await database.get(database.chats, str(chat_id))
    return chat is not None and not chat["deleted"]


async def newest(database: Database, chat_id: int) -> Message | None:
    """The newest message that is not deleted."""
    found = await _alive(database, chat_id, {"$lt": _END}, -1, 1)
    return message_of(found[0]) if found else None


async def page(
    database: Database,
    chat_id: int,
    limit: int,
    before_seq: int | None,
    after_seq: int | None,
    around_seq: int | None,
) -> Page:
    """See `storage.ports.Messages.history`. A page is what lies on both sides of a border: the last messages below
    it and the first ones from it on."""
    if not await exists(database, chat_id):
        return Page((), False, False)
    if after_seq is not None:
        border, below_limit, from_limit = after_seq + 1, 0, limit
    elif around_seq is not None:
        border, below_limit, from_limit = around_seq, limit // 2, limit - limit // 2
    else:
        border, below_limit, from_limit = _END if before_seq is None else before_seq, limit, 0
    # One more than wanted on each side tells whether there is more.
    below = await _alive(database, chat_id, {"$lt": border}, -1, below_limit + 1)
    above = await _alive(database, chat_id, {"$gte": border}, 1, from_limit + 1)
    documents = [*below[:below_limit][::-1], *above[:from_limit]]
    return Page(
        messages=[message_of(document) for document in documents],
        has_more_before=len(below) > below_limit,
        has_more_after=len(above) > from_limit,
    )


async def changed_between(
    database: Database, chat_id: int, after_seq: int, up_to_seq: int, limit: int
) -> Sequence[Message]:
    """The messages whose last change is above one number and not above another, by that."""
    if not await exists(database, chat_id):
        return ()
    found = await database.find(
        database.messages,
        {"chat_id": chat_id, "changed_seq": {"$gt": after_seq, "$lte": up_to_seq}},
        sort=[("changed_seq", 1)],
        limit=limit,
    )
    return [message_of(document) for document in found]


async def unread_count(database: Database, chat_id: int, user_id: int, read_seq: int) -> int:
    """The messages by others, not deleted, above the mark; at most `UNREAD_LIMIT`.

    A look at what follows the mark answers nearly always. Not so for somebody who wrote thousands of messages
    without reading (a bot): then those of the others are counted by an index that leads from sender to sender, and
    his own are never touched.
    """
    above = {"chat_id": chat_id, "deleted": False, "seq": {"$gt": read_seq}}
    look: list[Document] = [
        {"$match": above},
        {"$sort": {"seq": 1}},
        {"$limit": LOOK_BACK},
        {"$group": {"_id": "$sender_id", "count": {"$sum": 1}}},
    ]
    by_sender: dict[int, int] = {
        one["_id"]: one["count"]
        for one in await database.patiently(lambda: database.messages.aggregate(look).to_list(None))
    }
    seen = sum(by_sender.values())
    others = seen - by_sender.get(user_id, 0)
    if seen == LOOK_BACK and others < UNREAD_LIMIT:
        wanted = above | {"sender_id": {"$ne": user_id}}
        others = await database.patiently(
            lambda: database.messages.count_documents(wanted, limit=UNREAD_LIMIT, hint=list(BY_SENDER))
        )
    return min(others, UNREAD_LIMIT)


async def unread_counts(database: Database, chat_id: int, marks: Mapping[int, int]) -> dict[int, int]:
    """The same for many members, by user id; `marks` are their read positions."""
    newest = await database.find(
        database.messages,
        {"chat_id": chat_id, "deleted": False, "seq": {"$gt": min(marks.values(), default=0)}},
        sort=[("seq", -1)],
        limit=LOOK_BACK,
        fields=["seq", "sender_id"],
    )
    counts = tally([(document["seq"], document["sender_id"]) for document in newest], marks)
    return {
        user_id: await unread_count(database, chat_id, user_id, marks[user_id]) if count is None else count
        for user_id, count in counts.items()
    }


async def _alive(
    database: Database, chat_id: int, seq: dict[str, Any], order: int, limit: int
) -> Sequence[Document]:
    return await database.find(
        database.messages,
        {"chat_id": chat_id, "deleted": False, "seq": seq},
        sort=[("seq", order)],
        limit=limit,
    )
