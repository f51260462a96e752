"""The records that belong to no chat."""

from collections.abc import AsyncIterator, Callable, Sequence
from operator import attrgetter, itemgetter

from domain.files import Upload
from domain.models import User
from domain.text import name_key
from storage.backup import records
from storage.backup.batches import in_batches
from storage.backup_ports import BATCH_RECORDS, SERVER_KINDS, Batch, ServerKind
from storage.backup_records import ServerRecord
from storage.bot_tokens import token_key
from storage.mongo import default_chat
from storage.mongo.admin_log import AdminLog
from storage.mongo.backup.chat_reader import audit_batches, invite_records
from storage.mongo.backup.cuts import Cuts
from storage.mongo.database import Database, Document
from storage.mongo.documents import session_of, user_of
from storage.mongo.ids import last_id
from storage.mongo.upload_documents import upload_of
from storage.times import from_micros
from storage.username_keys import namesake_key

_BEYOND = chr(0x10FFFF)


class ServerReader:
    """Reads accounts and what belongs to them. `unattached` are the uploads that no message had when the snapshot was
    opened."""

    def __init__(self, database: Database, cuts: Cuts, unattached: Sequence[Upload]) -> None:
        self._database = database
        self._cuts = cuts
        self._unattached = sorted(unattached, key=attrgetter("id"))
        self._readers: dict[ServerKind, Callable[[], AsyncIterator[Batch]]] = {
            "server": self._server,
            "user": self._users,
            "block": self._blocks,
            "bot_token": self._bot_tokens,
            "invite": self._invites,
            "upload": self._uploads,
            "audit": lambda: audit_batches(database, None),
        }

    async def read(self) -> AsyncIterator[Batch]:
        """By `SERVER_KINDS`, once the chats are cut: whoever they name is there then, for accounts stay. Raises:
        `Unavailable`."""
        await self._cuts.take()
        for kind in SERVER_KINDS:
            async for batch in self._readers[kind]():
                yield batch

    async def _server(self) -> AsyncIterator[Batch]:
        database = self._database
        record: ServerRecord = {
            "last_user_id": await last_id(database, "users"),
            "last_chat_id": await last_id(database, "chats"),
            "last_message_id": await last_id(database, "messages"),
            "last_hook_id": await last_id(database, "hooks"),
        }
        chat_id = await default_chat.claimed(database)
        if chat_id is not None:
            record["default_chat_id"] = chat_id
        for batch in in_batches("server", None, [record]):
            yield batch

    async def _users(self) -> AsyncIterator[Batch]:
        """By ranges of ids: a query in another order could miss an account that ends meanwhile."""
        database = self._database
        # What the last act of an admin has made of an account may be in the log of admins alone.
        last_act = await AdminLog(database).newest()
        last_user_id = await last_id(database, "users")
        at_once = BATCH_RECORDS if database.finds_many else max(last_user_id, 1)
        for first in range(1, last_user_id + 1, at_once):
            ids = range(first, min(first + at_once, last_user_id + 1))
            found = await self._users_of(ids)
            for one in found:
                if one["id"] == last_act.user_id:
                    one.update(last_act.fields)
            for batch in in_batches("user", None, map(_user_record, found)):
                yield batch

    async def _users_of(self, ids: range) -> Sequence[Document]:
        """The documents of those of the users who exist, by id."""
        database = self._database
        if database.finds_many:
            found = await database.get_each(database.users, list(map(str, ids)))
            return [one for one in found if one is not None]
        everybody = await database.find(database.users, {})  # FerretDB looks at all of them anyway
        return sorted((one for one in everybody if one["id"] in ids), key=itemgetter("id"))

    async def _blocks(self) -> AsyncIterator[Batch]:
        database, wanted = self._database, Document()
        while True:
            order = [("user_id", 1), ("blocked_id", 1)]
            found = await database.find(database.user_blocks, wanted, sort=order, limit=BATCH_RECORDS)
            blocks = (
                records.block_record(one["user_id"], one["blocked_id"], from_micros(one["at"]))
                for one in found
            )
            for batch in in_batches("block", None, blocks):
                yield batch
            if len(found) < BATCH_RECORDS:
                return
            user_id, blocked_id = found[-1]["user_id"], found[-1]["blocked_id"]
            same = {"user_id": user_id, "blocked_id": {"$gt": blocked_id}}
            wanted = {"$or": [{"user_id": {"$gt": user_id}}, same]}

    async def _bot_tokens(self) -> AsyncIterator[Batch]:
        database = self._database
        prefix = token_key("")
        tokens = await database.find(
            database.tokens, {"_id": {"$gte": prefix, "$lt": prefix + _BEYOND}}, fields=["session_id"]
        )
        session_ids = [one["session_id"] for one in tokens]
        found = await database.get_each(database.sessions, session_ids)
        ended = await database.get_each(database.revocations, session_ids)
        living = [
            session_of(session, revoked=False)
            for session, end in zip(found, ended, strict=True)
            if session is not None and end is None
        ]
        living.sort(key=lambda session: session.created_at)
        newest = {session.user_id: session for session in living}  # of two that a renewal left, the last one
        tokens_by_user = (
            records.bot_token_record(user_id, session.id, session.created_at)
            for user_id, session in sorted(newest.items())
        )
        for batch in in_batches("bot_token", None, tokens_by_user):
            yield batch

    async def _invites(self) -> AsyncIterator[Batch]:
        for batch in in_batches("invite", None, await invite_records(self._database, None)):
            yield batch

    async def _uploads(self) -> AsyncIterator[Batch]:
        """Without those that have ended since, and those that messages of the snapshot have."""
        database = self._database
        found = await database.get_each(database.uploads, [upload.id for upload in self._unattached])
        left = [
            upload
            for upload, document in zip(self._unattached, found, strict=True)
            if document is not None and not await self._is_attached(document)
        ]
        for batch in in_batches("upload", None, map(records.upload_record, left)):
            yield batch

    async def _is_attached(self, document: Document) -> bool:
        """Whether a message of the snapshot has the upload, or no message ever will have it again."""
        message_id = document["message_id"]
        if document["_id"] in self._cuts.attached:
            return True
        if message_id is None:
            return False
        message = await self._database.get(self._database.messages, str(message_id))
        if message is None:
            return True
        cut = self._cuts.get(message["chat_id"])
        return cut is not None and message["seq"] <= cut.chat.head_seq


async def unattached_uploads(database: Database) -> Sequence[Upload]:
    """The uploads that no message has. Raises: `Unavailable`."""
    found = await database.find(database.uploads, {"message_id": None, "counted": True})
    return list(map(upload_of, found))


def _user_record(document: Document) -> object:
    user: User = user_of(document)
    key = document["username_key"]
    is_namesake = key == namesake_key(user.username) and key != name_key(user.username)
    return records.user_record(user, namesake=is_namesake)
