"""Members as the replica has them, with what only the projection knows."""

from dataclasses import replace

from domain.models import Member
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.documents import member_key, member_of
from storage.mongo.writer import Writer


async def seated(writer: Writer, replica: ChatReplica, user_id: int) -> Member:
    """A member with what they have read; all else as the replica has it."""
    member, database = replica.roles[user_id], writer.database
    document = await database.get(database.members, member_key(replica.chat_id, user_id))
    if document is None or document["gone"]:
        await writer.replicas.flush()  # the member came with a row that is not yet projected
        document = await database.get(database.members, member_key(replica.chat_id, user_id))
    if document is None or document["gone"]:
        return Member(user_id, member.role, member.joined_at)  # removed by another server just now
    return replace(member_of(document), role=member.role, joined_at=member.joined_at)
