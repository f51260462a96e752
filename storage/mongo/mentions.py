"""Counts unread messages that mention a user or all members, by an index of those whom messages mention.

A message holds the ids of those whom it mentions in `extra.mentions`, and 0 if it mentions all.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence

from storage.mongo.database import Database, Document
from storage.mongo.schema import BY_MENTION
from storage.ports import UNREAD_LIMIT
from storage.unread_counts import LOOK_BACK, count_mentions

_MEMBERS_AT_ONCE = 100
"""For how many members one query looks for mentions."""

_AT_ONCE = 16
"""How many members' mentions are counted one by one at the same time."""

_Row = tuple[int, int, int]


async def unread_mentions(database: Database, chat_id: int, user_id: int, read_seq: int) -> int:
    """The messages by others, not deleted, above the mark, that mention the user or all; at most `UNREAD_LIMIT`."""
    wanted = {
        "chat_id": chat_id,
        "extra.mentions": {"$in": [0, user_id]},
        "seq": {"$gt": read_seq},
        "sender_id": {"$ne": user_id},
    }
    return await database.with_retry(
        lambda: database.messages.count_documents(wanted, limit=UNREAD_LIMIT, hint=list(BY_MENTION))
    )


async def all_unread_mentions(database: Database, chat_id: int, marks: Mapping[int, int]) -> dict[int, int]:
    """The same for many members, by user id, without those who have none; `marks` are their read positions."""
    counts: dict[int, int] = {}
    if not marks:
        return counts
    of_all, all_of_all = await _rows(database, _clause(chat_id, 0, min(marks.values())))
    members = list(marks.items())
    for start in range(0, len(members), _MEMBERS_AT_ONCE):
        some = dict(members[start : start + _MEMBERS_AT_ONCE])
        clauses = [_clause(chat_id, user_id, mark) for user_id, mark in some.items()]
        of_users, all_of_users = await _rows(database, {"$or": clauses})
        found = count_mentions([*of_all, *of_users], some)
        if not (all_of_all and all_of_users):
            found |= await _each(database, chat_id, some, found)
        counts |= {user_id: count for user_id, count in found.items() if count}
    return counts


async def _each(
    database: Database, chat_id: int, marks: Mapping[int, int], at_least: Mapping[int, int]
) -> dict[int, int]:
    """The counts of those who may have more than `at_least`, each by a query of its own."""
    counts: dict[int, int] = {}
    unsure = [user_id for user_id, count in at_least.items() if count < UNREAD_LIMIT]
    for start in range(0, len(unsure), _AT_ONCE):
        some = unsure[start : start + _AT_ONCE]
        found = await asyncio.gather(
            *(unread_mentions(database, chat_id, user_id, marks[user_id]) for user_id in some)
        )
        counts |= zip(some, found, strict=True)
    return counts


def _clause(chat_id: int, user_id: int, read_seq: int) -> Document:
    return {"chat_id": chat_id, "extra.mentions": user_id, "seq": {"$gt": read_seq}}


async def _rows(database: Database, wanted: Document) -> tuple[Sequence[_Row], bool]:
    """The mentions of the messages that match, as `count_mentions` takes them; of `LOOK_BACK` messages at most, and
    then with False."""

    def query() -> Awaitable[list[Document]]:
        fields = {"seq": 1, "sender_id": 1, "extra.mentions": 1}
        cursor = database.messages.find(wanted, fields).hint(list(BY_MENTION)).limit(LOOK_BACK)
        return cursor.to_list(None)

    documents = await database.with_retry(query)
    rows = [
        (document["seq"], user_id, document["sender_id"])
        for document in documents
        for user_id in document["extra"]["mentions"]
    ]
    return rows, len(documents) < LOOK_BACK
