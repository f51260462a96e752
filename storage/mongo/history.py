"""Reading messages: one, a page, what changed, the newest, how many are unread."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.models import Message, Page, Version
from storage.mongo.database import Database, Document
from storage.mongo.documents import message_of
from storage.mongo.log import Log
from storage.mongo.new_kinds import check_kinds
from storage.mongo.schema import BY_SENDER
from storage.pages import END, page_of, sides
from storage.ports import UNREAD_LIMIT, VERSIONS_MAX
from storage.sizes import PageBudget, fitting_messages, message_bytes
from storage.unread_counts import LOOK_BACK, tally

READ_AT_ONCE = 64
"""How many messages one answer of the server brings: enough for a page of the usual size, and a few MB at most."""


async def get(database: Database, message_id: int) -> Message | None:
    """The message or its tombstone; None also if its chat is gone."""
    document = await database.get(database.messages, str(message_id))
    if document is None or not await exists(database, document["chat_id"]):
        return None
    return message_of(document)


async def versions(database: Database, log: Log, message_id: int) -> Sequence[Version] | None:
    """See `storage.ports.Messages.versions`. The log has them all, from the first version of the server on."""
    states = await log.versions(message_id, VERSIONS_MAX)
    # After the log was read: what the messages of a deleted chat said is removed from it little by little.
    if not states or not await exists(database, states[0].chat_id):
        return None
    return [Version(state.content, state.edited_at) for state in states]


async def exists(database: Database, chat_id: int) -> bool:
    """Whether the messages of the chat may be read: those of a deleted one are removed little by little. Raises:
    `Unavailable`, also for a chat that only newer nodes serve."""
    chat = await database.get(database.chats, str(chat_id))
    if chat is None or chat["deleted"]:
        return False
    check_kinds(chat)
    return True


async def newest(database: Database, chat_id: int) -> Message | None:
    """The newest message that is not deleted."""
    found = await _alive(database, chat_id, {"$lt": END}, -1, 1)
    return found[0] if found else None


async def has_written(database: Database, chat_id: int, user_id: int) -> bool:
    """Whether the user has ever sent a message to the chat, even if it is deleted by now."""
    wanted = {"chat_id": chat_id, "deleted": {"$in": [False, True]}, "sender_id": user_id}
    return bool(await database.find(database.messages, wanted, limit=1, fields=["_id"]))


async def with_messages(database: Database, chat_ids: Sequence[int]) -> Collection[int]:
    """Those of the chats in which a message was ever sent."""
    if not chat_ids:
        return ()
    wanted = {"chat_id": {"$in": list(chat_ids)}, "deleted": {"$in": [False, True]}, "seq": 1}
    return {one["chat_id"] for one in await database.find(database.messages, wanted, fields=["chat_id"])}


async def created_since(database: Database, chat_id: int, seq: int) -> bool:
    """Whether a message was created in the chat after this number, even if it is deleted by now."""
    wanted = {"chat_id": chat_id, "deleted": {"$in": [False, True]}, "seq": {"$gt": seq}}
    return bool(await database.find(database.messages, wanted, limit=1, fields=["_id"]))


async def page(
    database: Database,
    chat_id: int,
    limit: int,
    before_seq: int | None,
    after_seq: int | None,
    around_seq: int | None,
    max_bytes: int | None,
) -> Page:
    """See `storage.ports.Messages.history`."""
    if not await exists(database, chat_id):
        return Page((), False, False)
    border, below_limit, above_limit = sides(limit, before_seq, after_seq, around_seq)
    below = await _alive(database, chat_id, {"$lt": border}, -1, below_limit + 1, max_bytes)
    above = await _alive(database, chat_id, {"$gte": border}, 1, above_limit + 1, max_bytes)
    return page_of(below, below_limit, above, above_limit, max_bytes)


async def changed_between(
    database: Database,
    log: Log,
    chat_id: int,
    after_seq: int,
    up_to_seq: int,
    limit: int,
    max_bytes: int | None,
) -> Sequence[Message]:
    """The messages that changed above one number and not above another, each in its state after the last such change,
    by that."""
    if not await exists(database, chat_id):
        return ()
    wanted = _changed(chat_id, after_seq, up_to_seq)
    read = await _read(database, wanted, ("changed_seq", 1), limit, max_bytes)
    found = [*fitting_messages(read, max_bytes)]
    is_whole = len(found) == len(read) < limit
    # After the documents were read: those that change meanwhile are among the others then.
    earlier = await _earlier_states(database, log, chat_id, after_seq, up_to_seq)
    known = {message.id for message in found}
    last_seq = up_to_seq if is_whole or not found else found[-1].changed_seq
    found += [one for one in earlier if one.id not in known and one.changed_seq <= last_seq]
    if earlier:
        found.sort(key=lambda message: message.changed_seq)
        found = [*fitting_messages(found, max_bytes)][:limit]
    return found


async def _earlier_states(
    database: Database, log: Log, chat_id: int, after_seq: int, up_to_seq: int
) -> Sequence[Message]:
    """The states that messages had between two numbers whose documents are newer: another node has projected a later
    change, of which the event may say nothing but itself."""
    wanted = {"chat_id": chat_id, "changed_seq": {"$gt": up_to_seq}, "seq": {"$lte": up_to_seq}}
    newer = await database.find(database.messages, wanted, fields=["deleted"])
    states = [await log.state(int(one["_id"]), after_seq, up_to_seq) for one in newer]
    return [
        replace(state, deleted=state.deleted or one["deleted"])
        for state, one in zip(states, newer, strict=True)
        if state is not None
    ]


async def count_between(database: Database, chat_id: int, after_seq: int, up_to_seq: int, limit: int) -> int:
    """The number of messages that `changed_between` finds; counting stops at the limit."""
    if not await exists(database, chat_id):
        return 0
    wanted = _changed(chat_id, after_seq, up_to_seq)
    return await database.with_retry(lambda: database.messages.count_documents(wanted, limit=limit))


def _changed(chat_id: int, after_seq: int, up_to_seq: int) -> Document:
    return {"chat_id": chat_id, "changed_seq": {"$gt": after_seq, "$lte": up_to_seq}}


async def unread_count(database: Database, chat_id: int, user_id: int, read_seq: int) -> int:
    """The messages by others, not deleted, above the mark; at most `UNREAD_LIMIT`.

    The first messages above the mark nearly always give the count. They do not for a user who wrote thousands of
    messages without reading (a bot): then the messages of others are counted by an index that leads from sender to
    sender, so that the user's own are skipped.
    """
    above = {"chat_id": chat_id, "deleted": False, "seq": {"$gt": read_seq}}
    stages: list[Document] = [
        {"$match": above},
        {"$sort": {"seq": 1}},
        {"$limit": LOOK_BACK},
        {"$group": {"_id": "$sender_id", "count": {"$sum": 1}}},
    ]
    by_sender: dict[int, int] = {
        one["_id"]: one["count"]
        for one in await database.with_retry(lambda: database.messages.aggregate(stages).to_list(None))
    }
    seen = sum(by_sender.values())
    others = seen - by_sender.get(user_id, 0)
    if seen == LOOK_BACK and others < UNREAD_LIMIT:
        wanted = above | {"sender_id": {"$ne": user_id}}
        others = await database.with_retry(
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
    database: Database,
    chat_id: int,
    seq: dict[str, Any],
    order: int,
    limit: int,
    max_bytes: int | None = None,
) -> Sequence[Message]:
    wanted = {"chat_id": chat_id, "deleted": False, "seq": seq}
    return await _read(database, wanted, ("seq", order), limit, max_bytes)


async def _read(
    database: Database, wanted: Document, sort: tuple[str, int], limit: int, max_bytes: int | None
) -> Sequence[Message]:
    """Messages in this order, up to and including the first that does not fit."""

    async def query() -> list[Message]:
        budget, found = PageBudget(max_bytes), list[Message]()
        cursor = database.messages.find(wanted).sort([sort]).limit(limit).batch_size(READ_AT_ONCE)
        async for document in cursor:
            found.append(message_of(document))
            if not budget.takes(message_bytes(found[-1])):
                await cursor.close()
                break
        return found

    return await database.with_retry(query)
