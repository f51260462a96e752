"""The state that decisions are made on: the tables as the writer's transaction has them."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from domain.models import Account, Actor, Chat, Member, Message, Role
from domain.refusals import NotFound
from storage.sqlite import history, members
from storage.sqlite.rows import chat_of, message_of
from storage.sqlite.statements import ClientIdKey, first_uses, insert_messages
from storage.times import to_micros

_KEPT = 100_000
"""How many heads, actors and runs are kept in memory."""

# OR ROLLBACK, as in statements.py: the writer undoes the transaction anyway, and SQLite need not copy the pages that a
# statement touches to undo just that.
_RAISE_HEADS = """
UPDATE OR ROLLBACK chats
SET head_seq = json_extract(raised.value, '$[1]'), activity = max(activity, json_extract(raised.value, '$[2]'))
FROM json_each(?) AS raised WHERE chats.id = json_extract(raised.value, '$[0]')
"""

# CROSS JOIN: the members first, by the index that has them in the order in which they inherit.
_ACCOUNTS_BY_ROLE = """
SELECT users.id, users.is_bot, users.banned, users.deleted
FROM members CROSS JOIN users ON users.id = members.user_id
WHERE members.chat_id = ? AND members.role = ? ORDER BY members.joined_at, members.user_id
"""


class TransactionView:
    """See `domain.decisions.view.ChatView`.

    The writer is the only one who writes the file, so heads, actors, runs and the last id are remembered from one
    transaction to the next. A transaction that fails makes the view forget all of it. New messages and heads are
    written at the end of a run of sends and of the transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.heads_before: dict[int, int] = {}
        """Of this transaction: chat id → its head before."""
        self._heads: dict[int, int] = {}
        self._actors: dict[tuple[int, int], Actor] = {}
        self._runs: dict[int, tuple[int, int]] = {}  # chat id → who sent its newest message, and since where
        self._last_message_id: int | None = None
        self._activity: dict[int, int] = {}  # of this transaction: chat id → time of its newest message
        self._first_uses: dict[ClientIdKey, Message] = {}
        self._new_rows: list[tuple[object, ...]] = []

    def actor(self, chat_id: int, user_id: int) -> Actor:
        actor = self._actors.get((chat_id, user_id))
        if actor is None:
            row = self.db.execute(
                "SELECT members.role, chats.chat_type FROM members JOIN chats ON chats.id = members.chat_id"
                " WHERE members.chat_id = ? AND members.user_id = ?",
                (chat_id, user_id),
            ).fetchone()
            if row is None:
                raise NotFound(f"chat {chat_id}")
            actor = self._actors[chat_id, user_id] = Actor(user_id, *row)
        return actor

    def message(self, message_id: int) -> Message | None:
        self.insert_new()
        return history.get(self.db, message_id)

    def first_use(self, sender_id: int, client_id: str) -> Message | None:
        """Knows what `find_first_uses` has found, and what was created since."""
        return self._first_uses.get((sender_id, client_id))

    def next_seq(self, chat_id: int) -> int:
        head = self._heads.get(chat_id)
        return (self.head(chat_id) if head is None else head) + 1

    def next_message_id(self) -> int:
        if self._last_message_id is None:
            self._last_message_id = self._last_id("messages")
        return self._last_message_id + 1

    def member(self, chat_id: int, user_id: int) -> Member | None:
        return members.get(self.db, chat_id, user_id)

    def newest(self, chat_id: int) -> Message | None:
        return history.newest(self.db, chat_id)

    def chat(self, chat_id: int) -> Chat:
        row = self.db.execute("SELECT * FROM chats WHERE id = ?", (chat_id,)).fetchone()
        return chat_of(row, head_seq=self.head(chat_id))

    def private_chat(self, user_ids: Sequence[int]) -> Chat | None:
        found = self.db.execute("SELECT id FROM chats WHERE users_key = ?", (users_key(user_ids),)).fetchone()
        return self.chat(found[0]) if found else None

    def next_chat_id(self) -> int:
        return self._last_id("chats") + 1

    def member_ids(self, chat_id: int) -> Sequence[int]:
        rows = self.db.execute("SELECT user_id FROM members WHERE chat_id = ? ORDER BY user_id", (chat_id,))
        return [user_id for (user_id,) in rows]

    def accounts_by_role(self, chat_id: int, role: Role) -> Iterable[Account]:
        return map(_account_of, self.db.execute(_ACCOUNTS_BY_ROLE, (chat_id, role)))

    def accounts(self, user_ids: Collection[int]) -> Mapping[int, Account]:
        rows = self.db.execute(
            "SELECT id, is_bot, banned, deleted FROM users WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(user_ids)),),
        )
        return {row[0]: _account_of(row) for row in rows}

    # What changes tell the view

    def head(self, chat_id: int) -> int:
        """The number of the chat's last change, those of this transaction included."""
        head = self._heads.get(chat_id)
        if head is None:
            (head,) = self.db.execute("SELECT head_seq FROM chats WHERE id = ?", (chat_id,)).fetchone()
            self._heads[chat_id] = head
        return int(head)

    def find_first_uses(self, keys: Sequence[ClientIdKey]) -> None:
        """Looks up the messages with these client_ids, which `first_use` then knows; those of before are forgotten."""
        found = map(message_of, first_uses(self.db, keys))
        self._first_uses = {(one.sender_id, one.client_id): one for one in found if one.client_id is not None}

    def create(self, message: Message) -> None:
        """Takes a new message in; `insert_new` writes it."""
        chat_id, seq, sender_id, client_id = (
            message.chat_id,
            message.seq,
            message.sender_id,
            message.client_id,
        )
        self.raise_head(chat_id, seq)
        self._last_message_id = message.id
        created = to_micros(message.created_at)
        self._activity[chat_id] = max(created, self._activity.get(chat_id, 0))
        if client_id is not None:
            self._first_uses[sender_id, client_id] = message
        self._new_rows.append(
            (
                message.id,
                chat_id,
                seq,
                seq,
                sender_id,
                client_id,
                message.content,
                message.message_type,
                message.reply_to,
                created,
                self._run_seq(chat_id, sender_id, seq),
            )
        )

    def insert_new(self) -> None:
        """Writes the new messages that are not written yet."""
        if self._new_rows:
            insert_messages(self.db, self._new_rows)
            self._new_rows = []

    def raise_head(self, chat_id: int, seq: int) -> None:
        """Change `seq` of a message of the chat is being made."""
        if chat_id not in self.heads_before:
            self.heads_before[chat_id] = seq - 1
        self._heads[chat_id] = seq

    def write_heads(self) -> None:
        """Writes the heads that this transaction has raised."""
        raised = [(one, self._heads[one], self._activity.get(one, 0)) for one in self.heads_before]
        if raised:
            self.db.execute(_RAISE_HEADS, (json.dumps(raised),))

    def forget_member(self, chat_id: int, user_id: int) -> None:
        """The member has another role, or is gone."""
        self._actors.pop((chat_id, user_id), None)

    def forget_chat(self, chat_id: int) -> None:
        """The chat is gone."""
        self._actors.clear()
        self._heads.pop(chat_id, None)
        self._runs.pop(chat_id, None)
        self.heads_before.pop(chat_id, None)
        self._activity.pop(chat_id, None)

    def begin(self) -> None:
        """Makes ready for the next transaction."""
        self.heads_before = {}
        self._activity = {}
        self._first_uses = {}
        for kept in (self._heads, self._actors, self._runs):
            if len(kept) > _KEPT:
                kept.clear()

    def reset(self) -> None:
        """Forgets everything: a transaction has failed."""
        self._heads.clear()
        self._actors.clear()
        self._runs.clear()
        self._new_rows = []
        self._last_message_id = None
        self.begin()

    def _run_seq(self, chat_id: int, sender_id: int, seq: int) -> int:
        """Where the run of messages begins that a new one, number `seq`, belongs to; see `schema`."""
        last = self._runs.get(chat_id)
        if last is None:
            last = self.db.execute(
                "SELECT sender_id, run_seq FROM messages WHERE chat_id = ? AND deleted = 0 ORDER BY seq DESC LIMIT 1",
                (chat_id,),
            ).fetchone()
        run_seq = last[1] if last is not None and last[0] == sender_id else seq
        self._runs[chat_id] = sender_id, run_seq
        return run_seq

    def _last_id(self, table: str) -> int:
        row = self.db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return int(row[0]) if row else 0


def users_key(user_ids: Iterable[int]) -> str:
    """What a private chat is found by."""
    return " ".join(map(str, user_ids))


def _account_of(row: tuple[int, int, int, int]) -> Account:
    user_id, is_bot, banned, deleted = row
    return Account(user_id, bool(is_bot), bool(banned), bool(deleted))
