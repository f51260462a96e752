"""Members with what they have set for themselves in a chat."""

from dataclasses import replace

from domain.models import Member
from storage.mongo import history
from storage.mongo.database import Database, Document
from storage.mongo.documents import member_key, member_of, settings_document


async def get(database: Database, chat_id: int, user_id: int) -> Member | None:
    """The member; None if there is no such chat or the user is not in it."""
    document = await database.get(database.members, member_key(chat_id, user_id))
    return None if document is None or document["gone"] else await of_document(database, document)


async def of_document(database: Database, document: Document) -> Member:
    """The member, who sees the chat again if a message was created since they hid it."""
    member = member_of(document)
    hidden_seq = member.settings.hidden_seq
    if hidden_seq is None or not await history.created_since(database, document["chat_id"], hidden_seq):
        return member
    return replace(member, settings=replace(member.settings, hidden_seq=None))


async def write_settings(database: Database, chat_id: int, member: Member) -> None:
    """Writes what the member has set; nothing happens if they are gone."""
    key, settings = member_key(chat_id, member.user_id), settings_document(member.settings)
    await database.with_retry(
        lambda: database.members.update_one({"_id": key, "gone": False}, {"$set": {"settings": settings}})
    )
