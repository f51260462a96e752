"""What a run of message writes is going to insert, and what decisions about messages ask of it."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.changes import MessageChange
from domain.files import Upload
from domain.hooks import Hook
from domain.models import Actor, Message
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.log import SENT, Row
from storage.mongo.pins import note_pin
from storage.mongo.row_codecs import row_of


@dataclass
class Plan:
    """The rows that a run of message writes is going to insert. See `domain.decisions.view.MessageView`.

    They follow the state of the replicas in memory. If they cannot be inserted, the whole plan is discarded.
    """

    replicas: dict[int, ChatReplica]
    messages: dict[int, Message]
    """The messages that the items name and those that the rows change, in their newest states."""
    first_uses: dict[tuple[int, str], Message]
    ids: deque[int]
    pins: dict[int, set[int]]
    """The ids of the pinned messages, by chat, of chats in which something is to be pinned."""
    usernames: Mapping[str, int]
    """The ids of the users whom the contents of the items name."""
    uploads_by_id: dict[str, Upload]
    """The uploads that the drafts name; those that a message of this plan has taken with its id."""
    hooks: Mapping[int, Hook] = field(default_factory=dict)
    """The hooks whose messages the items are."""
    rows: list[Row] = field(default_factory=list)
    _planned: dict[int, int] = field(default_factory=dict)
    _sent_at: dict[tuple[int, int], datetime] = field(default_factory=dict)
    """Of chats in slow mode: when users sent the messages of this plan."""

    def actor(self, chat_id: int, user_id: int) -> Actor:
        return self.replicas[chat_id].actor(user_id)

    def message(self, message_id: int) -> Message | None:
        return self.messages.get(message_id)

    def first_use(self, sender_id: int, client_id: str) -> Message | None:
        first = self.first_uses.get((sender_id, client_id))
        return first and self.messages.get(first.id, first)

    def last_sent(self, chat_id: int, user_id: int) -> datetime | None:
        return self._sent_at.get((chat_id, user_id)) or self.replicas[chat_id].sent_at.get(user_id)

    def uploads(self, upload_ids: Collection[str]) -> Mapping[str, Upload]:
        return {one: self.uploads_by_id[one] for one in upload_ids if one in self.uploads_by_id}

    def hook(self, hook_id: int) -> Hook | None:
        hook = self.hooks.get(hook_id)
        return None if hook is None or self.replicas[hook.chat_id].closed else hook

    def pin_count(self, chat_id: int) -> int:
        return len(self.pins[chat_id])

    def members_named(self, chat_id: int, usernames: Collection[str]) -> Mapping[str, int]:
        roles, ids = self.replicas[chat_id].roles, self.usernames
        return {name: ids[name] for name in usernames if name in ids and ids[name] in roles}

    def member_count(self, chat_id: int) -> int:
        return len(self.replicas[chat_id].roles)

    def next_seq(self, chat_id: int) -> int:
        return self.replicas[chat_id].seq + self._planned.get(chat_id, 0) + 1

    def next_message_id(self) -> int:
        return self.ids[0]

    def add(self, change: MessageChange, mark: str) -> Row:
        """Plans a change of a message: each row of a plan is one, so n and seq rise together."""
        message = change.message
        chat_id = message.chat_id
        planned = self._planned[chat_id] = self._planned.get(chat_id, 0) + 1
        replica = self.replicas[chat_id]
        row = row_of(change, chat_id, replica.n + planned, message.changed_seq, mark)
        self.rows.append(row)
        self.messages[message.id] = message
        if self.pins and chat_id in self.pins:
            note_pin(self.pins[chat_id], message)
        if row.kind == SENT:
            self.ids.popleft()
            if replica.is_slow:
                self._sent_at[chat_id, message.sender_id] = message.created_at
            for attachment in message.attachments:
                taken = self.uploads_by_id.get(attachment.id)
                if taken is not None:
                    self.uploads_by_id[attachment.id] = replace(taken, message_id=message.id)
            if message.client_id is not None:
                self.first_uses[message.sender_id, message.client_id] = message
        return row
