"""The log of a restored chat: as few rows as its messages need.

Nodes read of a log the rows above the number up to which the chat is projected, and of those below what they ask about
single messages: the first use of a `client_id`, what a message said before, its state after the last change up to some
number, who sent last in slow mode, and the last row, for the head. So the rows are: one that creates the chat as it is,
one that creates each message, one for each edit, and one with the last change of a message, which has its whole state.
They are in the order of `seq`, and without a hole.
"""

from collections.abc import Sequence
from dataclasses import replace
from heapq import heappop, heappush
from uuid import uuid4

from domain.changes import ChatCreated, ChatRenamed, MessageChange, MessageDeleted, MessageEdited
from domain.models import Chat, ChatState, Member, Message, Version
from domain.pins import MessagePinned
from domain.reactions import ReactionRemoved
from storage.mongo.backup.inserts import Inserts
from storage.mongo.database import Database, Document
from storage.mongo.documents import message_of
from storage.mongo.log import SENT, Row, row_document
from storage.mongo.new_kinds import note_of
from storage.mongo.row_codecs import row_of

_HELD_MAX = 10_000
"""How many messages wait in memory for the place of their last change. Of the others, which are more only if a chat had
that many changes to old messages, the document is read again."""

_NOBODY = 0


class LogFiller:
    """Writes the rows of one chat. `n` and `seq` are those of the last row, and `kinds` the notes of its document."""

    def __init__(self, database: Database, inserts: Inserts, chat_id: int) -> None:
        self.n = 0
        self.seq = 0
        self.kinds: Document = {}
        self._database = database
        self._inserts = inserts
        self._chat_id = chat_id
        self._mark = uuid4().hex
        self._rows: list[Row] = []
        self._later: list[tuple[int, int, bool]] = []
        """The numbers of last changes that are not written yet, each with the id of its message, and whether that said
        something else before: a heap."""
        self._held: dict[int, Message] = {}

    async def begin(self, chat: Chat, members: Sequence[Member]) -> None:
        """Writes the row that creates the chat, with some of its members."""
        state = ChatState(chat, {member.user_id: member for member in members})
        self._put(row_of(ChatCreated(state), self._chat_id, self.n + 1, 0, self._next_mark()))
        await self.flush()

    async def add(self, message: Message, versions: Sequence[Version]) -> str:
        """Writes the creation of a message, the next one by `seq`, and what it said before. Returns the mark of the
        creation."""
        await self._write_later(message.seq)
        mark = self._next_mark()
        self._put(Row(self._chat_id, self.n + 1, message.seq, SENT, mark, _first_state(message, versions)))
        for version in versions[1:]:
            edited = replace(message, content=version.content, edited_at=version.edited_at)
            self._change(MessageEdited(edited), message.seq)
        if message.changed_seq > message.seq:
            heappush(self._later, (message.changed_seq, message.id, bool(versions)))
            if len(self._held) < _HELD_MAX:
                self._held[message.id] = message
        return mark

    async def end(self, chat: Chat, rows_min: int) -> None:
        """Writes the last changes that are left; and renames the chat to what it is called until there are that many
        rows, and until the last one has the head of the chat."""
        await self._write_later(chat.head_seq + 1)
        while self.n < rows_min or self.seq < chat.head_seq:
            self.seq = chat.head_seq
            renamed = ChatRenamed(chat)
            self._put(row_of(renamed, self._chat_id, self.n + 1, self.seq, self._next_mark()))
        await self.flush()

    async def flush(self) -> None:
        """Hands on the rows that were made so far."""
        rows, self._rows = self._rows, []
        await self._inserts.add(self._database.changes, map(row_document, rows))

    async def _write_later(self, before_seq: int) -> None:
        """Writes the last changes with lower numbers."""
        while self._later and self._later[0][0] < before_seq:
            changed_seq, message_id, has_versions = heappop(self._later)
            message = self._held.pop(message_id, None) or await self._again(message_id)
            self._change(_last_change(message, has_versions), changed_seq)

    async def _again(self, message_id: int) -> Message:
        await self._inserts.flush()
        document = await self._database.get(self._database.messages, str(message_id))
        assert document is not None
        return message_of(document)

    def _change(self, change: MessageChange, seq: int) -> None:
        row = row_of(change, self._chat_id, self.n + 1, seq, self._next_mark())
        if isinstance(change, MessageDeleted):
            row = replace(row, data={})  # as the log has the row of a deletion
        self._put(row)

    def _put(self, row: Row) -> None:
        self.n, self.seq = row.n, row.seq
        for note in note_of(row):
            self.kinds[note.removeprefix("kinds.")] = row.n
        self._rows.append(row)

    def _next_mark(self) -> str:
        return f"{self._mark}{self.n + 1}"


def _first_state(message: Message, versions: Sequence[Version]) -> Message:
    """The message as it was sent, as far as that is known; without content if it is deleted."""
    if message.changed_seq == message.seq:
        return message
    return replace(
        message,
        changed_seq=message.seq,
        content=versions[0].content if versions else message.content,
        edited_at=versions[0].edited_at if versions else message.edited_at,
        reactions=None,
        pinned_seq=0,
        deleted=False,
    )


def _last_change(message: Message, has_versions: bool) -> MessageChange:
    """The last change of a message. Of what is neither a deletion nor an edit, it matters only that it is neither: an
    edit would be a version more."""
    if message.deleted:
        return MessageDeleted(message)
    if has_versions:
        return MessageEdited(message)
    if message.pinned_seq == message.changed_seq:
        return MessagePinned(message, _NOBODY, message.created_at)
    return ReactionRemoved(message, _NOBODY, "")
