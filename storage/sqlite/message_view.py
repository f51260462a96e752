"""What decisions about messages ask of the writer's transaction, and the messages that it creates.

Sends that stand next to each other in a batch share their statements, and not only for SQLite's sake: the writer's
thread gives the interpreter lock away at every statement and, while the event loop is busy, gets it back only after
`sys.getswitchinterval()`.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from domain.files import Upload
from domain.hooks import Hook
from domain.models import Actor, Message
from domain.refusals import NotFound
from storage.sqlite import history, hook_rows, members, mentions, message_rows, upload_rows
from storage.sqlite.message_rows import ClientIdKey
from storage.sqlite.rows import extra_of, message_of
from storage.sqlite.schema import REMOVED
from storage.times import from_micros, to_micros

_KEPT = 100_000
"""How many heads, actors and runs are kept in memory."""

# OR ROLLBACK here and below: the writer undoes the transaction anyway, and SQLite need not copy the pages that a
# statement touches to undo just that.
_RAISE_HEADS = """
UPDATE OR ROLLBACK chats
SET head_seq = json_extract(raised.value, '$[1]'), activity = max(activity, json_extract(raised.value, '$[2]'))
FROM json_each(?) AS raised WHERE chats.id = json_extract(raised.value, '$[0]')
"""


class SqliteMessageView:
    """See `domain.decisions.view.MessageView`.

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
        self._slow_chats: set[int] = set()
        """Chats in slow mode of which somebody has asked when they sent last."""
        self._notes_removal = True
        """Whether the next removal is to be noted in the file. Once in a run is enough."""
        self._last_message_id: int | None = None
        self._activity: dict[int, int] = {}  # of this transaction: chat id → time of its newest message
        self._first_uses: dict[ClientIdKey, Message | None] = {}
        self._new_rows: list[tuple[object, ...]] = []
        # Apart from the rows: two more columns in each of them would cost a plain message 0.3 µs.
        self._with_extra: list[tuple[int, str | None, int]] = []
        self._new_mentions: list[mentions.Row] = []
        self._new_attached: list[tuple[int, str]] = []
        self.freed: list[str] = []
        """Of this transaction: the files that nothing refers to any more."""

    def actor(self, chat_id: int, user_id: int) -> Actor:
        actor = self._actors.get((chat_id, user_id))
        if actor is None:
            actor = self._actors[chat_id, user_id] = get_actor(
                self.db, chat_id, user_id, self._heads.get(chat_id, 0)
            )
        return actor

    def message(self, message_id: int) -> Message | None:
        self.insert_new()
        return history.get(self.db, message_id)

    def first_use(self, sender_id: int, client_id: str) -> Message | None:
        """The message with this client_id, which `find_first_uses` has looked up."""
        key = sender_id, client_id
        assert key in self._first_uses, f"the client_id {client_id!r} was not looked up"
        return self._first_uses[key]

    def last_sent(self, chat_id: int, user_id: int) -> datetime | None:
        self._slow_chats.add(chat_id)
        row = self.db.execute(
            "SELECT at FROM slow_sends WHERE chat_id = ? AND user_id = ?", (chat_id, user_id)
        ).fetchone()
        return None if row is None else from_micros(row[0])

    def uploads(self, upload_ids: Collection[str]) -> Mapping[str, Upload]:
        self.insert_new()  # an earlier send of the run may have taken one
        return {upload.id: upload for upload in upload_rows.named(self.db, upload_ids)}

    def hook(self, hook_id: int) -> Hook | None:
        return hook_rows.get(self.db, hook_id)

    def pin_count(self, chat_id: int) -> int:
        self.insert_new()
        return history.pin_count(self.db, chat_id)

    def members_named(self, chat_id: int, usernames: Collection[str]) -> Mapping[str, int]:
        return mentions.members_named(self.db, chat_id, usernames)

    def member_count(self, chat_id: int) -> int:
        (count,) = self.db.execute("SELECT member_count FROM chats WHERE id = ?", (chat_id,)).fetchone()
        return int(count)

    def next_seq(self, chat_id: int) -> int:
        head = self._heads.get(chat_id)
        return (self.head(chat_id) if head is None else head) + 1

    def next_message_id(self) -> int:
        if self._last_message_id is None:
            self._last_message_id = last_id(self.db, "messages")
        return self._last_message_id + 1

    # For those who write: see `changes`

    def head(self, chat_id: int) -> int:
        """The number of the chat's last change, those of this transaction included."""
        head = self._heads.get(chat_id)
        if head is None:
            (head,) = self.db.execute("SELECT head_seq FROM chats WHERE id = ?", (chat_id,)).fetchone()
            self._heads[chat_id] = head
        return int(head)

    def find_first_uses(self, keys: Sequence[ClientIdKey]) -> None:
        """Looks up the messages with these client_ids, for `first_use`. Forgets those of earlier runs."""
        found = map(message_of, message_rows.first_uses(self.db, keys))
        self._first_uses = dict.fromkeys(keys)
        self._first_uses |= {
            (one.sender_id, one.client_id): one for one in found if one.client_id is not None
        }

    def create(self, message: Message) -> None:
        """Adds a new message, which `insert_new` writes."""
        chat_id, seq = message.chat_id, message.seq
        sender_id, client_id = message.sender_id, message.client_id
        self.raise_head(chat_id, seq)
        if self._slow_chats and chat_id in self._slow_chats:
            self._note_send(message)
        self._last_message_id = message.id
        created = to_micros(message.created_at)
        if created > self._activity.get(chat_id, 0):
            self._activity[chat_id] = created
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
        is_mentioning = message.mentions or message.mentions_all
        if is_mentioning or message.pinned_seq or message.reactions or message.attachments:
            self._with_extra.append((message.pinned_seq, extra_of(message), message.id))
            self._new_mentions += mentions.rows_of(message)
            self._new_attached += [(message.id, attachment.id) for attachment in message.attachments]

    def insert_new(self) -> None:
        """Writes the new messages that are not written yet."""
        if self._new_rows:
            message_rows.insert(self.db, self._new_rows)
            self._new_rows = []
        if self._with_extra:
            self.db.executemany("UPDATE messages SET pinned = ?, extra = ? WHERE id = ?", self._with_extra)
            mentions.insert(self.db, self._new_mentions)
            upload_rows.attach(self.db, self._new_attached)
            self._with_extra, self._new_mentions, self._new_attached = [], [], []

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

    def remove_uploads(self, uploads: Sequence[Upload]) -> None:
        """Removes uploads, and frees their files."""
        if uploads:
            self.freed += upload_rows.remove(self.db, uploads)
            self.note_removal()  # of their names

    def free_avatar(self, avatar_id: str | None) -> None:
        """Frees the file of an avatar that is no longer one, if there is any."""
        if avatar_id is not None:
            self.freed += upload_rows.free(self.db, [avatar_id])

    def note_removal(self) -> None:
        """Notes in the file that something was removed that messages said, for `storage.sqlite.writer.Writer.close`."""
        if self._notes_removal:
            self._notes_removal = False
            self.db.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, '')", (REMOVED,))

    def forget_member(self, chat_id: int, user_id: int) -> None:
        """The member has another role, or is gone."""
        self._actors.pop((chat_id, user_id), None)

    def forget_actors(self) -> None:
        """A chat has other settings, which its actors carry."""
        self._actors.clear()

    def forget_sends(self, chat_id: int) -> None:
        """Slow mode begins anew, or has ended."""
        self._slow_chats.discard(chat_id)
        self.db.execute("DELETE FROM slow_sends WHERE chat_id = ?", (chat_id,))

    def _note_send(self, message: Message) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO slow_sends (chat_id, user_id, at) VALUES (?, ?, ?)",
            (message.chat_id, message.sender_id, to_micros(message.created_at)),
        )

    def forget_chat(self, chat_id: int) -> None:
        """The chat is gone."""
        self._actors.clear()
        self._heads.pop(chat_id, None)
        self._runs.pop(chat_id, None)
        self.heads_before.pop(chat_id, None)
        self._activity.pop(chat_id, None)

    def begin(self) -> None:
        """Prepares for the next transaction."""
        self.heads_before = {}
        self._activity = {}
        self._first_uses = {}
        self.freed = []
        for kept in (self._heads, self._actors, self._runs):
            if len(kept) > _KEPT:
                kept.clear()

    def reset(self) -> None:
        """Forgets everything: a transaction has failed."""
        self._heads.clear()
        self._actors.clear()
        self._runs.clear()
        self._new_rows, self._with_extra, self._new_mentions, self._new_attached = [], [], [], []
        self._last_message_id = None
        self._notes_removal = True
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


def get_actor(db: sqlite3.Connection, chat_id: int, user_id: int, head_seq: int = 0) -> Actor:
    """With a `head_seq` above 0 the chat has messages, whatever its row says: that is written last. Raises:
    `NotFound`."""
    row = db.execute(
        "SELECT role, chat_type, muted_until, blocked, slow_mode_s FROM members"  # noqa: S608 -- no input
        " JOIN chats ON chats.id = chat_id WHERE chat_id = ? AND user_id = ?"
        f" AND (? > 0 OR {members.SEEN})",
        (chat_id, user_id, head_seq),
    ).fetchone()
    if row is None:
        raise NotFound(f"chat {chat_id}")
    role, chat_type, muted, blocked, slow_mode_s = row
    muted_until = None if muted is None else from_micros(muted)
    return Actor(user_id, role, chat_type, muted_until, bool(blocked), slow_mode_s)


def last_id(db: sqlite3.Connection, table: str) -> int:
    """The highest id that a row of the table ever had."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(row[0]) if row else 0
