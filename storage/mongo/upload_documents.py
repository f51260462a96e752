"""The documents of uploads."""

from collections.abc import Collection

from domain.files import Upload
from storage.mongo.database import Database, Document
from storage.times import from_micros, to_micros


def upload_document(upload: Upload) -> Document:
    return {
        "_id": upload.id,
        "user_id": upload.user_id,
        "name": upload.name,
        "content_type": upload.content_type,
        "size": upload.size,
        "created_at": to_micros(upload.created_at),
        "width": upload.width,
        "height": upload.height,
        "has_thumbnail": upload.has_thumbnail,
        "message_id": upload.message_id,
    }


def upload_of(document: Document) -> Upload:
    return Upload(
        document["_id"],
        document["user_id"],
        document["name"],
        document["content_type"],
        document["size"],
        from_micros(document["created_at"]),
        document["width"],
        document["height"],
        document["has_thumbnail"],
        document["message_id"],
    )


async def named(database: Database, upload_ids: Collection[str]) -> dict[str, Upload]:
    """Those of the uploads that exist, by id."""
    found = await database.get_each(database.uploads, sorted(upload_ids))
    return {document["_id"]: upload_of(document) for document in found if document is not None}
