"""The rules of a chat."""

from collections.abc import Callable, Mapping
from typing import Any

from storage.backup_ports import Batch, Record
from storage.check.findings import Findings
from storage.check.message_rules import MessageRules
from storage.check.references import References


class ChatRules:
    """Reads the batches of a chat, the first of which is the chat itself."""

    def __init__(self, chat: Record, references: References) -> None:
        self.findings = Findings(chat["id"])
        self._chat = chat
        self._references = references
        self._members = 0
        self._has_owner = False
        self._marks: list[tuple[int, int]] = []  # user and message
        self._messages = MessageRules(chat, references, self.findings)
        self._known("the chat", "created_by", chat)
        self._read: Mapping[str, Callable[[Record], None]] = {
            "member": self._member,
            "mute": lambda record: self._known("a mute", "user_id", record),
            "ban": self._ban,
            "invite": lambda record: self._known("an invite", "created_by", record),
            "hook": self._hook,
            "message": self._messages.add,
        }

    def add(self, batch: Batch) -> None:
        read = self._read.get(batch.kind)
        if read is not None:
            for record in batch.records:
                read(record)

    def end(self) -> None:
        """All of the chat is read."""
        self._messages.end()
        for user_id, message_id in self._marks:
            if not self._messages.has(message_id):
                self.findings.add(
                    "read marks without their message",
                    f"the read mark of user {user_id} is on message {message_id}, which is not there",
                )
        if self._chat["chat_type"] != "private" and not self._has_owner:
            self.findings.add("owners", "it has no owner" if self._members else "it has no members")

    def _member(self, record: Record) -> None:
        self._members += 1
        user_id = record["user_id"]
        self._known("a member", "user_id", record)
        self._references.member(user_id, self._chat["id"])
        if record["role"] == "owner":
            self._has_owner = True
        if not record["read_seq"] <= self._chat["head_seq"]:
            self.findings.add(
                "read marks above the head",
                f"the read mark of user {user_id} is at {record['read_seq']}, the head is {self._chat['head_seq']}",
            )
        if record.get("last_read_message_id") is not None:
            self._marks.append((user_id, record["last_read_message_id"]))
        if "user_ids" in self._chat and user_id not in self._chat["user_ids"]:
            self.findings.add(
                "strangers in private chats", f"user {user_id} is a member of the private chat of others"
            )

    def _ban(self, record: Record) -> None:
        self._known("a ban", "user_id", record)
        self._known("a ban", "banned_by", record)

    def _hook(self, record: Record) -> None:
        self._known(f"hook {record['id']}", "user_id", record)
        self._known(f"hook {record['id']}", "created_by", record)
        position = record.get("delivery", {}).get("position", 0)
        if position > self._chat["head_seq"]:
            self.findings.add(
                "hooks above the head",
                f"hook {record['id']} is at {position}, the head is {self._chat['head_seq']}",
            )

    def _known(self, what: str, key: str, record: Mapping[str, Any]) -> None:
        self._references.name(record[key], self._chat["id"], what)
