"""The state of a chat as its documents have it."""

from collections.abc import Iterable

from domain.moderation import UserBanned
from storage.mongo.bans import all_bans
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.database import Database, Document
from storage.mongo.documents import chat_of
from storage.mongo.log import Log
from storage.mongo.new_kinds import unknown_kind


async def load_projected(database: Database, log: Log, replica: ChatReplica, chat: Document) -> None:
    """Fills a new replica from the document of the chat and those of its members and bans, which may reflect rows after
    `chat["n"]`. Raises: `Unavailable`."""
    take_projected(replica, chat, await database.find(database.members, {"chat_id": replica.chat_id}))
    assert replica.chat is not None
    if replica.chat.slow_mode_s:
        replica.is_slow = True
        replica.sent_at = await log.last_sends(
            replica.chat_id, replica.n, chat.get("slow_from_seq", 0), replica.chat.slow_mode_s
        )
    if UserBanned.kind.name in chat.get("kinds", ()):  # else nobody ever was
        replica.bans = await all_bans(database, replica.chat_id)


def take_projected(replica: ChatReplica, chat: Document, members: Iterable[Document]) -> None:
    """Fills a new replica from the document of the chat and those of its members, without bans and the pace of slow
    mode."""
    replica.n = replica.projected_n = replica.saved_n = chat["n"]
    replica.chat = chat_of(chat)
    replica.closed = chat["deleted"]
    replica.unknown_kind = unknown_kind(chat)
    for member in members:
        replica.load_member(member)
