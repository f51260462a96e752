"""The documents of bans. A ban that is lifted keeps its document, so that a row from before is not projected again."""

from collections.abc import Mapping, Sequence

from domain.models import Ban
from storage.cursor import Cursor
from storage.mongo.database import Database, Document
from storage.times import from_micros, to_micros


def ban_document(ban: Ban) -> Document:
    return {
        "user_id": ban.user_id,
        "reason": ban.reason,
        "banned_by": ban.banned_by,
        "at": to_micros(ban.at),
    }


def ban_of(document: Document) -> Ban:
    return Ban(document["user_id"], document["reason"], document["banned_by"], from_micros(document["at"]))


async def all_bans(database: Database, chat_id: int) -> dict[int, Ban]:
    """The bans of a chat, by user id. They may reflect rows that the chat's replica has not applied yet."""
    found = await database.find(database.bans, {"chat_id": chat_id, "lifted": False})
    return {document["user_id"]: ban_of(document) for document in found}


async def page_of_bans(
    database: Database, chat_id: int, after_id: int, limit: int
) -> tuple[Sequence[Ban], str | None]:
    """The bans of a chat of users with higher ids, by user id."""
    wanted: Mapping[str, object] = {"chat_id": chat_id, "user_id": {"$gt": after_id}, "lifted": False}
    found = await database.find(database.bans, wanted, sort=[("user_id", 1)], limit=limit + 1)
    page = [ban_of(document) for document in found[:limit]]
    return page, None if len(found) <= limit else str(Cursor(0, page[-1].user_id))
