"""A chat as it was at one moment, while nodes go on writing to it: as the rows of its log up to one make it.

The documents of a chat may reflect rows beyond the one that is noted in it, and lack the newest rows. So the documents
are read first, and then the log to its end: it has every row that the documents reflect, and every row that was acked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.changes import ChatCreated, MemberAdded
from domain.frozen import frozen
from domain.models import Ban, Chat, Member, Message
from domain.moderation import UserBanned
from storage.mongo.bans import all_bans
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.database import Database, Document
from storage.mongo.documents import member_of
from storage.mongo.log import ROWS_MAX, Log, Row
from storage.mongo.projected_chat import take_projected
from storage.mongo.row_codecs import UnknownKind, logged_kind


@frozen
class ChatCut:
    """A chat as its log up to row `n` makes it. Members come by user id.

    `mutes` are those of users who left, `kinds` the later kinds of changes that the chat has rows of (`new_kinds`).
    `newest` are the states of the messages that the last rows changed, which may not be projected.
    """

    chat: Chat
    n: int
    members: Sequence[Member]
    mutes: Mapping[int, datetime]
    bans: Mapping[int, Ban]
    kinds: Collection[str]
    newest: Mapping[int, Message]


async def read_cut(database: Database, log: Log, chat_id: int) -> ChatCut | None:
    """The chat as it is now; None for one that does not exist or is deleted. Raises: `Unavailable`, also for a chat
    that only newer nodes serve."""
    chat = await database.get(database.chats, str(chat_id))
    if chat is None or chat["deleted"]:
        return None
    cut = _Cutting(chat_id)
    try:
        return await cut.read(database, log, chat)
    except UnknownKind as unknown:
        raise unknown.unavailable() from None


class _Cutting:
    def __init__(self, chat_id: int) -> None:
        self._replica = ChatReplica(chat_id)
        self._members: dict[int, tuple[int, Member]] = {}
        """By user, with the number of the row that it reflects at least."""
        self._newest: dict[int, Message] = {}
        self._kinds: set[str] = set()

    async def read(self, database: Database, log: Log, chat: Document) -> ChatCut | None:
        replica, chat_id = self._replica, chat["id"]
        found = await database.find(database.members, {"chat_id": chat_id})
        self._members = {one["user_id"]: (one["n"], member_of(one)) for one in found if not one["gone"]}
        self._kinds.update(chat.get("kinds", ()))
        if chat["n"] > 0:
            take_projected(replica, chat, found)
            replica.check()
            last = await log.get(chat_id, replica.n)
            assert last is not None
            replica.seq = last.seq
            if UserBanned.kind.name in self._kinds:
                replica.bans = await all_bans(database, chat_id)
        is_end = False
        while not is_end:
            if database.finds_many:
                rows = await log.page(chat_id, replica.n)
                is_end = len(rows) < ROWS_MAX
            else:
                row = await log.get(chat_id, replica.n + 1)
                rows, is_end = [] if row is None else [row], row is None
            for row in rows:
                self._take(row)
        if replica.chat is None or replica.closed:
            return None
        mutes = dict(sorted(replica.earlier_mutes.items()))
        bans = dict(sorted(replica.bans.items()))
        members = [self._member(user_id) for user_id in sorted(replica.roles)]
        return ChatCut(replica.current(), replica.n, members, mutes, bans, self._kinds, self._newest)

    def _take(self, row: Row) -> None:
        if logged_kind(row.kind) is None:
            raise UnknownKind(row.chat_id, row.kind)
        change = self._replica.apply(row)
        self._kinds.add(row.kind)
        if row.message is not None:
            self._newest[row.message.id] = row.message
        elif isinstance(change, MemberAdded):
            self._add(row.n, change.member)
        elif isinstance(change, ChatCreated):
            for member in change.state.members.values():
                self._add(row.n, member)

    def _add(self, n: int, member: Member) -> None:
        """Adds a member as the row says, unless their document reflects it: that has what the log has not, how far they
        have read and what they have set."""
        known = self._members.get(member.user_id)
        if known is None or known[0] < n:
            self._members[member.user_id] = n, member

    def _member(self, user_id: int) -> Member:
        known, role = self._members.get(user_id), self._replica.roles[user_id]
        member = Member(user_id, role.role, role.joined_at) if known is None else known[1]
        return replace(
            member,
            role=role.role,
            joined_at=role.joined_at,
            muted_until=role.muted_until,
            blocked=role.blocked,
            opened=role.opened,
        )
