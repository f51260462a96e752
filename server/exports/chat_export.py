"""A chat as all its members see it."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from server.exports.export import Exported, Output, Progress, minute, name_of, output_in
from server.exports.objects import chat_object, member_object, message_object, user_object
from server.exports.page import Page
from server.start_error import StartError
from storage.backup_ports import Batch, Record, Snapshot

_QUOTED = "answers message {}, which is further up, or deleted"

_MEMBERS_SHOWN_MAX = 200


async def export_chat(
    snapshot: Snapshot, chat_id: int, folder: Path, *, with_files: bool, progress: Progress
) -> Exported:
    """Exports the chat into an empty folder. Deleted messages are left out. Raises: `StartError` if there is no such
    chat; `StorageError`; `OSError`."""
    users: dict[int, Record] = {}
    async for batch in snapshot.server():
        if batch.kind == "user":
            users.update((user["id"], user) for user in batch.records)
    with output_in(folder, snapshot, with_files=with_files) as output:
        writer = _ChatWriter(output, users)
        async for batch in snapshot.chats([chat_id]):
            await writer.add(batch, progress)
            await asyncio.sleep(0)  # so that it can be cancelled
        if writer.chat is None:
            raise StartError(f"there is no chat {chat_id}")
        writer.end()
    return Exported(writer.title, writer.messages, output.files.count, output.files.missing)


class _ChatWriter:
    def __init__(self, output: Output, users: Mapping[int, Record]) -> None:
        self.chat: Record | None = None
        self.messages = 0
        self.title = ""
        self._looked_at = 0
        self._output = output
        self._users = users
        self._names = {user_id: name_of(user) for user_id, user in users.items()}
        self._told: set[int] = set()
        self._members: list[Record] = []
        self._page: Page | None = None

    async def add(self, batch: Batch, progress: Progress) -> None:
        if batch.kind == "chat":
            self.chat = batch.records[0]
            self._output.lines.add("chat", chat_object(self.chat))
        elif batch.kind == "member":
            self._members += batch.records
            for member in batch.records:
                self._tell(member["user_id"])
                self._output.lines.add("member", member_object(member))
        elif batch.kind == "message":
            for record in batch.records:
                if not record.get("deleted"):
                    await self._message(record)
                self._looked_at += 1
            progress(self._looked_at)

    def end(self) -> None:
        self._begun().end()

    async def _message(self, record: Record) -> None:
        page = self._begun()
        self._tell(record["sender_id"])
        message = await message_object(record, self._output.files)
        self._output.lines.add("message", message)
        page.message(message, self._name(record["sender_id"]), self._names, _QUOTED)
        self.messages += 1

    def _tell(self, user_id: int) -> None:
        """Writes who the user is before the first line that names them."""
        if user_id not in self._told and user_id in self._users:
            self._output.lines.add("user", user_object(self._users[user_id]))
        self._told.add(user_id)

    def _name(self, user_id: int) -> str:
        return self._names.get(user_id, f"user {user_id}")

    def _named(self, user_id: int) -> str:
        """The name with the username, which is nobody else's."""
        user = self._users.get(user_id)
        return self._name(user_id) if user is None else f"{name_of(user)} (@{user['username']})"

    def _begun(self) -> Page:
        """The page, which begins once all members are known."""
        if self._page is None:
            assert self.chat is not None
            self.title = self._title(self.chat)
            self._page = Page(self._output.page, self.title, self._about(self.chat))
        return self._page

    def _title(self, chat: Record) -> str:
        if chat.get("name"):
            return str(chat["name"])
        ids = chat.get("user_ids") or [member["user_id"] for member in self._members]
        return " and ".join(map(self._name, ids)) or f"chat {chat['id']}"

    def _about(self, chat: Record) -> Sequence[tuple[str, str]]:
        names = [self._named(member["user_id"]) for member in self._members[:_MEMBERS_SHOWN_MAX]]
        more = len(self._members) - len(names)
        rows: list[tuple[str, Any]] = [
            ("Chat", f"{chat['id']}, {chat['chat_type']}"),
            ("Created", f"{minute(chat['created_at'])}, by {self._name(chat['created_by'])}"),
            ("Members", ", ".join(names) + (f" and {more:,} more" if more else "")),
            ("Times", "UTC"),
        ]
        return rows
