"""Fills in accounts, and what else belongs to no chat."""

from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from domain.decisions.admins import administers
from domain.decisions.bots import BOTS_MAX
from domain.models import Session, User
from storage.backup import values
from storage.backup.times import time_of
from storage.backup_ports import Batch, Record
from storage.bot_tokens import FOR_EVER, token_key
from storage.errors import StorageError
from storage.mongo import default_chat
from storage.mongo.admin_log import AdminLog
from storage.mongo.audit import SERVER, audit_document
from storage.mongo.backup.inserts import Inserts
from storage.mongo.backup.invite_filler import fill_invites
from storage.mongo.backup.upload_filler import UploadFiller
from storage.mongo.blocks import block_document
from storage.mongo.bots import place_key
from storage.mongo.database import Database, Document
from storage.mongo.documents import user_document
from storage.mongo.ids import Kind, skip_ids
from storage.mongo.sessions import session_document, token_document
from storage.times import to_micros
from storage.username_keys import namesake_key


class ServerFiller:
    """Takes the records that belong to no chat, of each kind in their order. All methods raise what `Inserts.add`
    does."""

    def __init__(self, database: Database, inserts: Inserts, uploads: UploadFiller) -> None:
        self._database = database
        self._inserts = inserts
        self._uploads = uploads
        self._last_ids: Counter[Kind] = Counter()
        self._admins: list[int] = []
        self._bots: Counter[int] = Counter()
        """How many places for bots are taken, by owner."""
        self._last_entry_id = 0
        self._takers = {
            "server": self._take_server,
            "user": self._take_users,
            "block": self._take_blocks,
            "bot_token": self._take_bot_tokens,
            "invite": self._take_invites,
            "upload": self._take_uploads,
            "audit": self._take_audit,
        }

    async def take(self, batch: Batch) -> None:
        if batch.kind not in self._takers:
            raise StorageError(f"the server has no records of the kind {batch.kind!r}")
        await self._takers[batch.kind](batch.records)

    def saw(self, kind: Kind, last_id: int) -> None:
        """Notes an id that must not be given again."""
        self._last_ids[kind] = max(self._last_ids[kind], last_id)

    async def end(self) -> None:
        """Writes what follows from all records."""
        for kind, last_id in self._last_ids.items():
            await skip_ids(self._database, kind, last_id)
        if self._admins:
            await AdminLog(self._database).begin(self._admins)

    async def _take_server(self, records: Sequence[Record]) -> None:
        (record,) = records
        self.saw("users", record["last_user_id"])
        self.saw("chats", record["last_chat_id"])
        self.saw("messages", record["last_message_id"])
        self.saw("hooks", record["last_hook_id"])
        if "default_chat_id" in record:
            await default_chat.note(self._database, record["default_chat_id"])

    async def _take_users(self, records: Sequence[Record]) -> None:
        users = [(values.user_of(record), record.get("namesake", False)) for record in records]
        self.saw("users", max(user.id for user, _ in users))
        self._admins += [user.id for user, _ in users if administers(user)]
        documents = [self._user_document(*one) for one in users]
        await self._inserts.add(self._database.users, documents)

    def _user_document(self, user: User, is_namesake: bool) -> Document:
        document = user_document(user) | {
            "last_seen_at": 0 if user.last_seen_at is None else to_micros(user.last_seen_at),
            "banned": user.banned,
            "deleted": user.deleted,
        }
        if is_namesake:
            document["username_key"] = namesake_key(user.username)
        if user.presence != "auto":
            document["presence"] = user.presence
        if user.avatar_id is not None:
            document["avatar_id"] = user.avatar_id
        if user.banned_with_owner:
            document["banned_with_owner"] = True
        if user.owner_id is not None and not user.deleted and self._bots[user.owner_id] < BOTS_MAX:
            self._bots[user.owner_id] += 1
            document["email_key"] = place_key(user.owner_id, self._bots[user.owner_id])
        return document

    async def _take_blocks(self, records: Sequence[Record]) -> None:
        blocks = (block_document(one["user_id"], one["blocked_id"], time_of(one["at"])) for one in records)
        await self._inserts.add(self._database.user_blocks, blocks)

    async def _take_bot_tokens(self, records: Sequence[Record]) -> None:
        sessions = [
            Session(record["token_id"], record["user_id"], time_of(record["created_at"]))
            for record in records
        ]
        tokens = (token_document(token_key(one.id), one.id, FOR_EVER) for one in sessions)
        await self._inserts.add(self._database.sessions, map(session_document, sessions))
        await self._inserts.add(self._database.tokens, tokens)

    async def _take_invites(self, records: Sequence[Record]) -> None:
        await fill_invites(self._database, self._inserts, records, 0)

    async def _take_uploads(self, records: Sequence[Record]) -> None:
        await self._uploads.add(map(values.upload_of, records))

    async def _take_audit(self, records: Sequence[Record]) -> None:
        documents: list[Document] = []
        for record in records:
            entry = values.audit_of(record)
            # As nodes number them, but in this order whatever their clocks said.
            self._last_entry_id = max(to_micros(entry.at), self._last_entry_id + 1)
            documents.append(audit_document(SERVER, self._last_entry_id, entry) | {"by": uuid4().hex})
        await self._inserts.add(self._database.audit, documents)
