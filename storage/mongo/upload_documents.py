"""The documents of uploads, and who has claimed one.

Before a node inserts a message that has uploads, it claims each of them: it inserts a document into `claims` whose
`_id` is made from that of the upload. One insert succeeds, whatever nodes do at once, on FerretDB too. A claim is made
in the name of the message: the sender with their `client_id` or, if there is none, with `#` and the mark of the write;
the log finds the message by both. So each try of a send owns the claim, at any node, and the log tells whether a
message followed a claim.

A claim stays until the files of its upload are deleted. A node may have read the document of the upload before that,
and claim the upload afterwards: so it reads the document once more after the claim.
"""

from collections.abc import Collection, Sequence

from pymongo import UpdateOne

from domain.files import Upload
from domain.models import Draft
from storage.mongo.bulk import update_all
from storage.mongo.database import Database, Document
from storage.mongo.log import Log, Row
from storage.times import from_micros, to_micros

_NOBODY = "removed"
"""In whose name uploads are claimed that no message is to have any more. The name of a message has a colon."""


def upload_document(upload: Upload) -> Document:
    """Of a new upload, which does not count before `counted` is set."""
    return {
        "_id": upload.id,
        "user_id": upload.user_id,
        "name": upload.name,
        "content_type": upload.content_type,
        "size_bytes": upload.size,
        "created_at": to_micros(upload.created_at),
        "width": upload.width,
        "height": upload.height,
        "has_thumbnail": upload.has_thumbnail,
        "message_id": upload.message_id,
        "counted": False,
    }


def upload_of(document: Document) -> Upload:
    return Upload(
        document["_id"],
        document["user_id"],
        document["name"],
        document["content_type"],
        document["size_bytes"],
        from_micros(document["created_at"]),
        document["width"],
        document["height"],
        document["has_thumbnail"],
        document["message_id"],
    )


async def named(database: Database, upload_ids: Collection[str]) -> dict[str, Upload]:
    """Those of the uploads that are there, by id."""
    found = await database.get_each(database.uploads, sorted(upload_ids))
    return {one["_id"]: upload_of(one) for one in found if one is not None and one["counted"]}


def name_of(draft: Draft, mark: str) -> str:
    """The name in which a send claims uploads."""
    return send_name(draft.sender_id, draft.client_id, mark)


def send_name(sender_id: int, client_id: str | None, mark: str) -> str:
    """The same of a send with this `client_id`, if any, or else with this mark."""
    return f"{sender_id}:{f'#{mark}' if client_id is None else client_id}"


async def claim(database: Database, upload_id: str, name: str, at: int) -> bool:
    """Claims an upload. Returns False if it is claimed in another name."""
    key = claim_key(upload_id)
    return await database.add(database.claims, {"_id": key, "upload": upload_id, "by": name, "at": at})


async def give_back(database: Database, upload_id: str) -> None:
    """Removes a claim in whose name there is no message and never will be one, or whose upload has ended."""
    key = claim_key(upload_id)
    await database.with_retry(lambda: database.claims.delete_one({"_id": key}))


async def claim_unwanted(database: Database, log: Log, upload_id: str, before: int) -> bool:
    """Claims an upload that no message has, so that none gets it. Returns False if a message has it after all, and then
    notes that in its document; also if it was claimed after `before`, so that its message may still be on its way."""
    if await claim(database, upload_id, _NOBODY, before):
        return True
    found = await database.get(database.claims, claim_key(upload_id))
    if found is None:  # given back meanwhile
        return False
    sender_id, _, client_id = found["by"].partition(":")
    for row in await log.first_uses([(int(sender_id), client_id)]):
        if row.message is not None and any(one.id == upload_id for one in row.message.attachments):
            await note_attached(database, [row])
            return False
        return True  # the message is there, and has other files
    return bool(found["at"] < before)


async def note_attached(database: Database, rows: Sequence[Row]) -> None:
    """Notes in the documents of uploads which messages have them, as rows say that create messages."""
    await update_all(
        database,
        database.uploads,
        [
            UpdateOne({"_id": attachment.id}, {"$set": {"message_id": row.message.id}})
            for row in rows
            if row.message is not None
            for attachment in row.message.attachments
        ],
    )


def claim_key(upload_id: str) -> str:
    return f"upload:{upload_id}"
