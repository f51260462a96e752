"""What a person has said, and what the server knows of them: nothing that others have said.

Of a message that they answer, only the id is there. A private chat has no name here: it would be that of the other.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from domain.text import email_key, name_key
from server.exports.export import Exported, Output, Progress, minute, name_of, output_in
from server.exports.objects import (
    account_object,
    chat_object,
    member_object,
    own_message_object,
    picked,
    settings_object,
    upload_object,
)
from server.exports.page import Page
from server.start_error import StartError
from storage.backup_ports import Batch, Record, Snapshot

_QUOTED = "answers message {}"


async def find_user(snapshot: Snapshot, name: str) -> Record:
    """The account with this username or e-mail address; a deleted one by its username too. Raises: `StartError`;
    `StorageError`."""
    found: dict[int, Record] = {}  # by how well it fits
    async for batch in snapshot.server():
        for user in batch.records if batch.kind == "user" else ():
            if (fit := _fit(user, name)) is not None:
                found[fit] = user
    if not found:
        raise StartError(f"there is no user {name}")
    return found[min(found)]


def _fit(user: Record, name: str) -> int | None:
    """How well an account fits a name, 0 being best; None: not at all."""
    if user["username"] == name:
        return 0
    if name_key(user["username"]) == name_key(name) and "namesake" not in user:
        return 1
    is_address = user.get("email") and email_key(user["email"]) == email_key(name)
    return 2 if is_address and not user.get("deleted") else None


async def export_user(
    snapshot: Snapshot, name: str, folder: Path, *, with_files: bool, progress: Progress
) -> Exported:
    """Exports what concerns the user into an empty folder. Raises: `StartError` if there is no such user;
    `StorageError`; `OSError`."""
    user = await find_user(snapshot, name)
    with output_in(folder, snapshot, with_files=with_files) as output:
        writer = _UserWriter(output, user)
        await writer.begin()
        async for batch in snapshot.server():
            await writer.add_of_server(batch)
            await asyncio.sleep(0)  # so that it can be cancelled
        async for batch in snapshot.chats():
            await writer.add_of_chat(batch, progress)
            await asyncio.sleep(0)
        writer.page.end()
    return Exported(name_of(user), writer.messages, output.files.count, output.files.missing)


class _UserWriter:
    def __init__(self, output: Output, user: Record) -> None:
        self.messages = 0
        self._looked_at = 0
        self._output = output
        self._user = user
        self._id: int = user["id"]
        self._chat: Record = {}
        self._in_section = False
        self.page = Page(output.page, name_of(user), _about(user))
        self._of_server: Mapping[str, Callable[[Record], None]] = {
            "user": self._bot,
            "block": self._block,
            "invite": self._invite,
            "audit": self._audit,
        }
        self._of_chat: Mapping[str, Callable[[Record], None]] = {
            "member": self._member,
            "mute": self._mute,
            "ban": self._ban,
            "invite": self._invite,
            "hook": self._hook,
            "audit": self._audit,
        }

    async def begin(self) -> None:
        picture = None
        if "avatar_id" in self._user:
            picture = await self._output.files.add_as(self._user["avatar_id"], "avatar")
        self._output.lines.add("account", {**account_object(self._user), "avatar": picture})

    async def add_of_server(self, batch: Batch) -> None:
        add = self._of_server.get(batch.kind)
        for record in batch.records:
            if add is not None:
                add(record)
            elif batch.kind == "upload" and record["user_id"] == self._id:
                self._output.lines.add("upload", await upload_object(record, self._output.files))

    async def add_of_chat(self, batch: Batch, progress: Progress) -> None:
        if batch.kind == "chat":
            self._chat, self._in_section = batch.records[0], False
        elif batch.kind == "message":
            for record in batch.records:
                await self._message(record)
            self._looked_at += len(batch.records)
            progress(self._looked_at)
        else:
            add = self._of_chat[batch.kind]
            for record in batch.records:
                add(record)

    async def _message(self, record: Record) -> None:
        if record.get("deleted"):
            return
        for reaction in record.get("reactions", ()):
            if self._id in reaction["user_ids"]:
                of = {"chat_id": record["chat_id"], "message_id": record["id"], "emoji": reaction["emoji"]}
                self._output.lines.add("reaction", of)
        if record["sender_id"] != self._id:
            return
        if not self._in_section:
            self._in_section = True
            self.page.section(self._title())
        message = await own_message_object(record, self._output.files)
        self._output.lines.add("message", message)
        self.page.message(message, name_of(self._user), {}, _QUOTED)
        self.messages += 1

    def _title(self) -> str:
        chat = self._chat
        name = None if chat["chat_type"] == "private" else chat.get("name")
        return f"{name or 'Private chat'} ({chat['chat_type']} {chat['id']})"

    def _add(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._output.lines.add(kind, fields)

    def _member(self, record: Record) -> None:
        if record["user_id"] == self._id:
            about = chat_object(self._chat)
            chat = {key: about[key] for key in ("id", "name", "chat_type")}
            self._add("membership", {"chat": chat, **member_object(record), **settings_object(record)})

    def _mute(self, record: Record) -> None:
        if record["user_id"] == self._id:
            self._add("mute", picked(record, "chat_id", "until"))

    def _ban(self, record: Record) -> None:
        if record["user_id"] == self._id:
            self._add("ban", picked(record, "chat_id", "reason", "at"))

    def _block(self, record: Record) -> None:
        if record["user_id"] == self._id:
            self._add("block", picked(record, "blocked_id", "at"))

    def _bot(self, record: Record) -> None:
        if record.get("owner_id") == self._id:
            self._add("bot", picked(record, "id", "username", "display_name", "created_at"))

    def _invite(self, record: Record) -> None:
        if record["created_by"] == self._id:
            self._add("invite", picked(record, "chat_id", "created_at", "expires_at", "max_uses", "uses"))

    def _hook(self, record: Record) -> None:
        if record["created_by"] == self._id:
            self._add("hook", picked(record, "id", "chat_id", "kind", "name", "created_at"))

    def _audit(self, record: Record) -> None:
        if record.get("actor_id") == self._id:
            self._add("act", picked(record, "at", "action", "chat_id", "message_id"))
        elif record.get("user_id") == self._id:
            self._add("act_of_others", picked(record, "at", "action", "chat_id", "message_id"))


def _about(user: Record) -> list[tuple[str, str]]:
    return [
        ("Account", f"{user['id']}, {user['username']}" + (", deleted" if user.get("deleted") else "")),
        ("E-mail", user.get("email") or "none"),
        ("Created", minute(user["created_at"])),
        ("Last seen", minute(user["last_seen_at"]) if "last_seen_at" in user else "never"),
        ("More", "messages.jsonl has the account, memberships, reactions and acts too"),
        ("Times", "UTC"),
    ]
