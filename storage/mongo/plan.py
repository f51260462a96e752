"""What a run of message writes is going to do, before any of it is done."""

from dataclasses import dataclass, field

from domain.models import Draft, Message
from storage.mongo.log import Kind, Row
from storage.mongo.room import Room


@dataclass
class Plan:
    """Rows to be, on top of the rooms as they are in memory. Thrown away as a whole if it cannot be carried out."""

    rooms: dict[int, Room]
    messages: dict[int, Message]
    """Those that the items name, and those that the rows change, in their newest state."""
    first_uses: dict[tuple[int, str], Message]
    ids: list[int]
    rows: list[Row] = field(default_factory=list)
    _planned: dict[int, int] = field(default_factory=dict)

    def next_id(self) -> int:
        return self.ids.pop(0)

    def next_seq(self, chat_id: int) -> int:
        return self.rooms[chat_id].seq + self._planned.get(chat_id, 0) + 1

    def first_use(self, draft: Draft) -> Message | None:
        if draft.client_id is None:
            return None
        first = self.first_uses.get((draft.sender_id, draft.client_id))
        return first and self.messages.get(first.id, first)

    def add(self, kind: Kind, message: Message, mark: str) -> Row:
        """A change of a message: each row of a plan is one, so n and seq rise together."""
        chat_id = message.chat_id
        planned = self._planned[chat_id] = self._planned.get(chat_id, 0) + 1
        row = Row(chat_id, self.rooms[chat_id].n + planned, message.changed_seq, kind, mark, message)
        self.rows.append(row)
        self.messages[message.id] = message
        if kind == "sent" and message.client_id is not None:
            self.first_uses[message.sender_id, message.client_id] = message
        return row
