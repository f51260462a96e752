"""Members as the room has them, with what only the projection knows."""

from dataclasses import replace

from domain.models import Member
from storage.mongo.documents import member_key, member_of
from storage.mongo.room import Room
from storage.mongo.writer import Writer


async def seated(writer: Writer, room: Room, user_id: int) -> Member:
    """A member with what they have read; all else as the room has it."""
    seat, database = room.seats[user_id], writer.database
    document = await database.get(database.members, member_key(room.chat_id, user_id))
    if document is None or document["gone"]:
        await writer.rooms.flush()  # the member came with a row that is not yet projected
        document = await database.get(database.members, member_key(room.chat_id, user_id))
    if document is None or document["gone"]:
        return Member(user_id, seat.role, seat.joined_at)  # removed by another server just now
    return replace(member_of(document), role=seat.role, joined_at=seat.joined_at)
