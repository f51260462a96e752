"""The documents of invites, and of their uses.

Each use is a document of the collection `claims`, with the number of the use in its `_id`: whoever inserts it has the
use. So uses are exact on FerretDB, too, where several nodes may pass the same guarded update.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, count
from uuid import uuid4

from domain.invites import Invite, Use
from storage.mongo.bulk import insert_missing
from storage.mongo.database import Database, Document
from storage.mongo.log import Row
from storage.times import from_micros, to_micros

KEPT_S = 24 * 3600
"""How long an invite that has expired is kept."""


def invite_document(invite: Invite) -> Document:
    return {
        "code": invite.code,
        "chat_id": invite.chat_id,
        "created_by": invite.created_by,
        "created_at": to_micros(invite.created_at),
        "expires_at": None if invite.expires_at is None else to_micros(invite.expires_at),
        "max_uses": invite.max_uses,
    }


def invite_of(document: Document, *, uses: int) -> Invite:
    expires = document["expires_at"]
    return Invite(
        document["code"],
        document["chat_id"],
        document["created_by"],
        from_micros(document["created_at"]),
        None if expires is None else from_micros(expires),
        document["max_uses"],
        uses,
        document.get("ended", False),
    )


async def find(database: Database, code: str) -> Invite | None:
    document = await database.get(database.invites, code)
    return None if document is None else invite_of(document, uses=await _uses(database, code))


async def of_chat(database: Database, chat_id: int | None) -> Sequence[Invite]:
    """Those of a chat that have not ended; those of the server with None."""
    found = await database.find(database.invites, {"chat_id": chat_id, "ended": False})
    codes = [document["code"] for document in found]
    stages: list[Document] = [
        {"$match": {"invite": {"$in": codes}}},
        {"$group": {"_id": "$invite", "uses": {"$sum": 1}}},
    ]
    counted = await database.with_retry(lambda: database.claims.aggregate(stages).to_list(None))
    uses = {one["_id"]: int(one["uses"]) for one in counted}
    return [invite_of(document, uses=uses.get(document["code"], 0)) for document in found]


async def insert(database: Database, row: Row | None, values: Document) -> None:
    """Inserts an invite, which the row makes; None for one of the server. Does nothing if it is there."""
    document = {"_id": values["code"], **values, "ended": False, "n": 0 if row is None else row.n}
    await insert_missing(database, database.invites, [document])


async def end(database: Database, wanted: Document) -> None:
    """Ends invites. Their documents stay, so that a row that is projected once more does not bring one back."""
    await database.with_retry(lambda: database.invites.update_many(wanted, {"$set": {"ended": True}}))


async def end_of(database: Database, row: Row, maker_id: int) -> None:
    """Ends the invites of a member who may not invite any more because of this row; not those they made later."""
    made_before = {"chat_id": row.chat_id, "created_by": maker_id, "n": {"$lt": row.n}, "ended": False}
    await end(database, made_before)


async def end_made(database: Database, maker_id: int, *, of_server: bool) -> None:
    """Ends the invites that one user has made; with `of_server` those of the server alone."""
    made: Document = {"created_by": maker_id, "ended": False}
    await end(database, made | ({"chat_id": None} if of_server else {}))


async def remove_of(database: Database, chat_id: int) -> None:
    """Removes the invites of a chat that is deleted, and their uses."""
    await _remove(database, await database.find(database.invites, {"chat_id": chat_id}, fields=["_id"]))


async def remove_expired(database: Database, chat_id: int | None, at: datetime) -> None:
    """Removes invites that expired long ago: a row that is projected once more brings back only what does not work."""
    expired = {"chat_id": chat_id, "expires_at": {"$ne": None, "$lte": to_micros(at) - KEPT_S * 1_000_000}}
    await _remove(database, await database.find(database.invites, expired, fields=["_id"]))


async def claim(database: Database, invite: Invite, at: datetime) -> Use | None:
    """Takes a use of the invite, None if all are taken."""
    for number in _numbers(invite):
        document = {
            "_id": claim_key(invite.code, number),
            "invite": invite.code,
            "at": to_micros(at),
            "by": uuid4().hex,
        }
        if await database.add(database.claims, document):
            return Use(invite.code, invite.chat_id, number)
    return None


async def give_back(database: Database, use: Use) -> None:
    key = {"_id": claim_key(use.code, use.number)}
    await database.with_retry(lambda: database.claims.delete_one(key))


def _numbers(invite: Invite) -> Iterable[int]:
    """The numbers of uses, in the order in which they are probably free."""
    if not invite.max_uses:
        return count(invite.uses + 1)
    first = min(invite.uses, invite.max_uses) + 1
    return chain(range(first, invite.max_uses + 1), range(1, first))


def claim_key(code: str, number: int) -> str:
    return f"invite:{code}:{number}"


async def _uses(database: Database, code: str) -> int:
    found: int = await database.with_retry(lambda: database.claims.count_documents({"invite": code}))
    return found


async def _remove(database: Database, found: Sequence[Document]) -> None:
    for code in [one["_id"] for one in found]:
        await database.with_retry(lambda code=code: database.claims.delete_many({"invite": code}))  # type: ignore[misc]
        await database.with_retry(lambda code=code: database.invites.delete_one({"_id": code}))  # type: ignore[misc]
