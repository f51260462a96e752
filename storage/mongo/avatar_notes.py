"""Notes of avatars that chats are about to get.

The document of a chat has its avatar once the row of the log is projected. If a node dies between the two, the next one
that uses the chat projects the row; until then only the log knows the avatar, and finds no row by it. So a note, which
is there before the row, says to which chat an avatar belongs.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from storage.mongo.database import Database
from storage.times import to_micros

_AGE = timedelta(minutes=10)
"""A row may follow a note that is younger: a write that does not get through gives up within a minute."""


async def add(database: Database, avatar_id: str, chat_id: int) -> None:
    """Notes that the chat is about to get the avatar."""
    noted = {"_id": _key(avatar_id), "chat_id": chat_id, "at": to_micros(datetime.now(UTC)), "by": avatar_id}
    await database.add(database.claims, noted)


async def remove(database: Database, avatar_id: str) -> None:
    """Removes the note: the row is projected, or there is none and never will be."""
    await database.with_retry(lambda: database.claims.delete_one({"_id": _key(avatar_id)}))


async def chats_of(database: Database, avatar_ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
    """Of the avatars of which there is a note: the chat, and whether the note has served once the chat has caught up
    with its log."""
    ids, before = sorted(avatar_ids), to_micros(datetime.now(UTC) - _AGE)
    found = await database.get_each(database.claims, [_key(one) for one in ids])
    return {
        avatar_id: (note["chat_id"], note["at"] < before)
        for avatar_id, note in zip(ids, found, strict=True)
        if note is not None
    }


def _key(avatar_id: str) -> str:
    return f"avatar:{avatar_id}"
