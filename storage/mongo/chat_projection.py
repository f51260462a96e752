"""What each change of a chat does to the documents of the chat and of its members."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    RoleChanged,
    check_served,
    kind_named,
)
from domain.file_changes import ChatAvatarChanged
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.invites import InviteMade, InviteRemoved
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.private_chats import ChatOpened, MemberBlocked
from storage.mongo import freed_files, hook_documents, invite_documents
from storage.mongo.bulk import insert_missing, update_all
from storage.mongo.database import Collection, Database, Document
from storage.mongo.documents import member_key
from storage.mongo.log import Row
from storage.mongo.new_kinds import note_of

Project = Callable[[Database, Row, Document], Awaitable[None]]
"""Writes what a row says, given the row's `data`. A later row may have been projected before."""


def check_projections() -> None:
    """Raises: `UndeclaredChange` for a kind of change of a chat without a projection."""
    check_served(
        _PROJECTIONS,
        "the MongoDB store does",
        "storage/mongo/chat_projection.py what it does to the documents of the chat and its members, or no_projection",
        needed=lambda kind: kind.logged and not issubclass(kind.value, MessageChange),
    )


async def project(database: Database, row: Row) -> None:
    """Projects a row that changes no message. Raises: `Unavailable`; the row may be projected in part then."""
    kind = kind_named(row.kind)
    assert kind is not None  # rows of other kinds are not applied, see `ChatReplicas.catch_up`
    note = note_of(row)
    if note:
        await update_all(database, database.chats, [UpdateOne({"_id": str(row.chat_id)}, {"$max": note})])
    await _PROJECTIONS[kind.value](database, row, row.data or {})


async def no_projection(_database: Database, _row: Row, _data: Document) -> None:
    """For kinds that change no document."""


async def _created(database: Database, row: Row, data: Document) -> None:
    members = [
        {
            "_id": member_key(row.chat_id, member["user_id"]),
            **member,
            "chat_id": row.chat_id,
            "gone": False,
            "n": row.n,
        }
        for member in data["members"]
    ]
    chat = {
        "_id": str(row.chat_id),
        **data["chat"],
        "activity": data["chat"]["created_at"],
        "n": 0,
        FIELDS_N: row.n,
        "deleted": False,
        "swept": False,
    }
    await insert_missing(database, database.members, members)
    # The chat comes after its members, so that a reader who finds the chat finds them.
    await insert_missing(database, database.chats, [chat])


async def _renamed(database: Database, row: Row, data: Document) -> None:
    await _update_chat(database, row, {"name": data["name"]})


async def _settings_changed(database: Database, row: Row, data: Document) -> None:
    values = dict(data["values"])
    if "slow_mode_s" in values:
        values["slow_from_seq"] = row.seq  # messages from before do not count
    await _update_chat(database, row, values)


async def _avatar_changed(database: Database, row: Row, data: Document) -> None:
    await _update_chat(database, row, {"avatar_id": data["avatar_id"]})
    if data["old_id"] is not None:
        await freed_files.add(database, [data["old_id"]])


async def _invite_made(database: Database, row: Row, data: Document) -> None:
    await invite_documents.insert(database, row, data["invite"])


async def _invite_removed(database: Database, _row: Row, data: Document) -> None:
    await invite_documents.end(database, {"_id": data["fields"]["code"]})


async def _deleted(database: Database, row: Row, data: Document) -> None:
    # The chat comes first: without members, nobody would look at a chat whose deletion is not finished, and what it
    # has would stay. A deleted one is finished by `storage.mongo.removal`.
    await _update_chat(database, row, {"deleted": data["deleted"], "member_count": data["member_count"]})
    await database.with_retry(
        lambda: database.members.update_many({"chat_id": row.chat_id}, {"$set": {"gone": True, "n": row.n}})
    )


async def _member_added(database: Database, row: Row, data: Document) -> None:
    # Who comes back has set nothing for themselves.
    member = {**data["member"], "gone": False, "settings": None}
    await _update_member(database, row, data["member"]["user_id"], member, upsert=True)
    await _update_chat(database, row, {"member_count": data["member_count"]})


async def _member_removed(database: Database, row: Row, data: Document) -> None:
    await _update_member(database, row, data["user_id"], {"gone": True})
    await invite_documents.end_of(database, row, data["user_id"])
    await _update_heir(database, row, data)
    await _update_chat(database, row, {"member_count": data["member_count"]})


async def _role_changed(database: Database, row: Row, data: Document) -> None:
    member = data["member"]
    await _update_member(database, row, member["user_id"], {"role": member["role"]})
    if member["role"] == "member":
        await invite_documents.end_of(database, row, member["user_id"])
    await _update_heir(database, row, data)


async def _chat_opened(database: Database, row: Row, data: Document) -> None:
    await _update_member(database, row, data["user_id"], {"opened": True})


async def _member_blocked(database: Database, row: Row, data: Document) -> None:
    changed = data["fields"]
    await _update_member(database, row, changed["user_id"], {"blocked": changed["blocked"]})


async def _member_muted(database: Database, row: Row, data: Document) -> None:
    member = data["member"]
    await _update_member(database, row, member["user_id"], {"muted_until": member["muted_until"]})


async def _user_banned(database: Database, row: Row, data: Document) -> None:
    ban = data["ban"]
    if data["was_member"]:
        await _update_member(database, row, ban["user_id"], {"gone": True})
        await invite_documents.end_of(database, row, ban["user_id"])
    await _update_ban(database, row, ban["user_id"], {**ban, "lifted": False})
    await _update_chat(database, row, {"member_count": data["member_count"]})


async def _user_unbanned(database: Database, row: Row, data: Document) -> None:
    await _update_ban(database, row, data["fields"]["user_id"], {"lifted": True})


async def _update_ban(database: Database, row: Row, user_id: int, values: Document) -> None:
    key = member_key(row.chat_id, user_id)
    await _update_newer(database, database.bans, key, row, values, upsert=True)


async def _update_heir(database: Database, row: Row, data: Document) -> None:
    if data.get("heir"):
        await _update_member(database, row, data["heir"]["user_id"], {"role": data["heir"]["role"]})


async def _update_member(
    database: Database, row: Row, user_id: int, values: Document, *, upsert: bool = False
) -> None:
    key = member_key(row.chat_id, user_id)
    await _update_newer(database, database.members, key, row, values, upsert=upsert)


async def _update_newer(
    database: Database, collection: Collection, key: str, row: Row, values: Document, *, upsert: bool
) -> None:
    """Updates a document unless it reflects this row, or a later one of the chat."""
    values = {**values, "chat_id": row.chat_id, "n": row.n}
    # A duplicate key: the document is there, as of this row or a later one.
    with suppress(DuplicateKeyError):
        await database.with_retry(
            lambda: collection.update_one({"_id": key, "n": {"$lt": row.n}}, {"$set": values}, upsert=upsert)
        )


async def _update_chat(database: Database, row: Row, chat_fields: Document) -> None:
    update = UpdateOne(
        {"_id": str(row.chat_id), FIELDS_N: {"$lt": row.n}}, {"$set": {**chat_fields, FIELDS_N: row.n}}
    )
    await update_all(database, database.chats, [update])


FIELDS_N = "shape_n"
"""The field with the number of the row that last changed the chat's name or settings, its number of members or whether
it is deleted. Databases have it under this name."""

_PROJECTIONS: Mapping[type[Change], Project] = {
    ChatCreated: _created,
    ChatRenamed: _renamed,
    ChatSettingsChanged: _settings_changed,
    ChatAvatarChanged: _avatar_changed,
    ChatDeleted: _deleted,
    MemberAdded: _member_added,
    MemberRemoved: _member_removed,
    RoleChanged: _role_changed,
    MemberMuted: _member_muted,
    UserBanned: _user_banned,
    UserUnbanned: _user_unbanned,
    InviteMade: _invite_made,
    InviteRemoved: _invite_removed,
    HookAdded: hook_documents.project_added,
    HookChanged: hook_documents.project_changed,
    HookRemoved: hook_documents.project_removed,
    ChatOpened: _chat_opened,
    MemberBlocked: _member_blocked,
}
