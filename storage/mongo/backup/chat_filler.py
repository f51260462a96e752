"""Fills in one chat."""

from collections.abc import Sequence

from domain.changes import ChatSettingsChanged
from domain.file_changes import ChatAvatarChanged
from domain.hook_changes import HookAdded
from domain.invites import InviteMade
from domain.models import UNSET, Member
from domain.moderation import MemberMuted, UserBanned
from domain.private_chats import ChatOpened, MemberBlocked
from storage.backup import values
from storage.backup.times import time_of
from storage.backup_ports import Batch, Record
from storage.errors import StorageError
from storage.mongo.audit import ENTRIES_PER_ROW, audit_document
from storage.mongo.backup.inserts import Inserts
from storage.mongo.backup.invite_filler import fill_invites
from storage.mongo.backup.log_filler import LogFiller
from storage.mongo.backup.upload_filler import UploadFiller
from storage.mongo.bans import ban_document
from storage.mongo.chat_projection import FIELDS_N
from storage.mongo.database import Database, Document
from storage.mongo.documents import (
    chat_document,
    member_document,
    member_key,
    message_document,
    settings_document,
)
from storage.mongo.hook_documents import delivery_document, hook_document
from storage.mongo.search_words import word_fields
from storage.mongo.upload_documents import send_name
from storage.times import to_micros

_FIRST = 1
"""The number of the row that creates the chat. What the records say of it, but for messages, is as that row left it."""

_FIRST_MEMBERS_MAX = 100
"""How many members that row names: MongoDB takes no document above 16 MiB."""


class ChatFiller:
    """Takes the records of one chat, by `CHAT_KINDS`. `end` comes last. All methods raise what `Inserts.add` does."""

    def __init__(self, database: Database, inserts: Inserts, uploads: UploadFiller, record: Record) -> None:
        self.chat_id: int = record["id"]
        self._database = database
        self._inserts = inserts
        self._uploads = uploads
        self._record = record
        self._log = LogFiller(database, inserts, self.chat_id)
        self._members: list[Member] = []
        """Some of them, until the first row is written."""
        self._member_count = 0
        self._activity = to_micros(time_of(record["created_at"]))
        self._mentioned_seq = 0
        self._audit_count = 0
        self._kinds: set[str] = set()
        """The later kinds of changes that made the chat what the records say, see `new_kinds`."""

    async def take(self, batch: Batch) -> None:
        takers = {
            "member": self._take_members,
            "mute": self._take_mutes,
            "ban": self._take_bans,
            "invite": self._take_invites,
            "hook": self._take_hooks,
            "message": self._take_messages,
            "audit": self._take_audit,
        }
        if batch.kind not in takers:
            raise StorageError(f"a chat has no records of the kind {batch.kind!r}")
        if batch.kind != "member":
            await self._begin()
        await takers[batch.kind](batch.records)

    async def end(self) -> None:
        """Writes the document of the chat."""
        await self._begin()
        chat = values.chat_of(self._record, self._member_count)
        # The audit numbers the entries of the next row from there on.
        await self._log.end(chat, rows_min=self._audit_count // ENTRIES_PER_ROW)
        for kind, is_so in (
            (ChatSettingsChanged, chat.is_public or chat.slow_mode_s > 0),
            (ChatAvatarChanged, chat.avatar_id is not None),
        ):
            if is_so:
                self._kinds.add(kind.kind.name)
        document = {
            "_id": str(chat.id),
            **chat_document(chat),
            "activity": self._activity,
            "n": self._log.n,
            FIELDS_N: _FIRST,
            "deleted": False,
            "swept": False,
            "kinds": {**dict.fromkeys(sorted(self._kinds), _FIRST), **self._log.kinds},
        }
        if self._mentioned_seq:
            document["mentioned_seq"] = self._mentioned_seq
        await self._inserts.add(self._database.chats, [document])
        user_ids = self._record.get("user_ids")
        if user_ids is not None:
            users = " ".join(map(str, user_ids))
            pair = {"_id": f"{users}:0", "users": users, "generation": 0, "chat_id": chat.id}
            await self._inserts.add(self._database.pairs, [pair])

    async def _begin(self) -> None:
        if self._log.n == 0:
            await self._log.begin(values.chat_of(self._record, self._member_count), self._members)
            self._members.clear()

    async def _take_members(self, records: Sequence[Record]) -> None:
        members = list(map(values.member_of, records))
        self._members += members[: _FIRST_MEMBERS_MAX - len(self._members)]
        self._member_count += len(members)
        await self._inserts.add(self._database.members, map(self._member_document, members))
        for kind, is_so in (
            (MemberMuted, any(member.muted_until for member in members)),
            (MemberBlocked, any(member.blocked for member in members)),
            (ChatOpened, any(member.opened for member in members)),
        ):
            if is_so:
                self._kinds.add(kind.kind.name)

    def _member_document(self, member: Member) -> Document:
        document = {
            "_id": member_key(self.chat_id, member.user_id),
            **member_document(member),
            "chat_id": self.chat_id,
            "gone": False,
            "n": _FIRST,
        }
        if member.settings != UNSET:
            document["settings"] = settings_document(member.settings)
        return document

    async def _take_mutes(self, records: Sequence[Record]) -> None:
        """Of the members who left, only how long they are mute counts."""
        self._kinds.add(MemberMuted.kind.name)
        left = [
            Member(
                record["user_id"],
                "member",
                time_of(self._record["created_at"]),
                muted_until=time_of(record["until"]),
            )
            for record in records
        ]
        documents = ({**self._member_document(member), "gone": True} for member in left)
        await self._inserts.add(self._database.members, documents)

    async def _take_bans(self, records: Sequence[Record]) -> None:
        self._kinds.add(UserBanned.kind.name)
        bans = map(values.ban_of, records)
        await self._inserts.add(
            self._database.bans,
            (
                {
                    "_id": member_key(self.chat_id, ban.user_id),
                    **ban_document(ban),
                    "chat_id": self.chat_id,
                    "n": _FIRST,
                    "lifted": False,
                }
                for ban in bans
            ),
        )

    async def _take_invites(self, records: Sequence[Record]) -> None:
        self._kinds.add(InviteMade.kind.name)
        await fill_invites(self._database, self._inserts, records, _FIRST)

    async def _take_hooks(self, records: Sequence[Record]) -> None:
        self._kinds.add(HookAdded.kind.name)
        for record in records:
            hook = values.hook_of(record)
            keys = {"key_hash": record.get("key_hash"), "secret": record.get("secret")}
            stored = {"_id": str(hook.id), **hook_document(hook), **keys, "n": _FIRST, "ended": False}
            await self._inserts.add(self._database.hooks, [stored])
            if hook.kind == "outgoing":
                delivery = delivery_document(values.delivery_of(record))
                begun = {"_id": str(hook.id), "lease": 0, **delivery}
                await self._inserts.add(self._database.hook_deliveries, [begun])

    async def _take_messages(self, records: Sequence[Record]) -> None:
        for record in records:
            message = values.message_of(record)
            # First: the log may ask for it later.
            stored = message_document(message) | word_fields(message)
            await self._inserts.add(self._database.messages, [stored])
            mark = await self._log.add(message, values.versions_of(record))
            self._activity = max(self._activity, to_micros(message.created_at))
            if message.mentions or message.mentions_all:
                self._mentioned_seq = message.seq
            if message.attachments:
                name = send_name(message.sender_id, message.client_id, mark)
                await self._uploads.add(values.attached_uploads_of(record), name)
        await self._log.flush()

    async def _take_audit(self, records: Sequence[Record]) -> None:
        first = self._audit_count + 1
        self._audit_count += len(records)
        await self._inserts.add(
            self._database.audit,
            (
                audit_document(self.chat_id, entry_id, values.audit_of(record))
                for entry_id, record in enumerate(records, first)
            ),
        )
