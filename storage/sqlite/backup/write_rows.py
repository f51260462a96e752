"""From records to the rows of a new database."""

import sqlite3
from collections.abc import Sequence

from storage.backup import values
from storage.backup.times import time_of
from storage.backup_ports import Batch, Record
from storage.sqlite import default_chat, mentions
from storage.sqlite.backup.row_values import TABLES, Columns, micros, micros_of, upload_row
from storage.sqlite.rows import Row, extra_of
from storage.times import to_micros


class RowWriter:
    """Inserts the rows of batches. What is derived from all of them, `finish` makes. Raises: `sqlite3.Error`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._indexes = _take_indexes(db)
        self._run: tuple[int, int, int] = 0, 0, 0  # chat, sender and number of the first of a run of messages
        self._activity: dict[int, int] = {}  # of the chat that is being written
        self._last_ids: dict[str, int] = {}

    def put(self, batch: Batch) -> None:
        """Inserts the rows of a batch."""
        if batch.kind == "message":
            self._messages(batch)
        elif batch.kind == "server":
            self._server(batch.records[0])
        else:
            self._end_chat(batch)
            for table, make in TABLES[batch.kind]:
                _insert(self._db, table, [make(record) for record in batch.records])

    def finish(self) -> None:
        """Writes what is derived."""
        self._end_chat(None)
        for index in self._indexes:
            self._db.execute(index)
        for table, last_id in self._last_ids.items():
            _raise_sequence(self._db, table, last_id)
        self._db.execute(_MEMBER_COUNTS)
        self._db.execute(_UPLOADS_BYTES)

    def _server(self, record: Record) -> None:
        self._last_ids = {
            "users": record["last_user_id"],
            "chats": record["last_chat_id"],
            "messages": record["last_message_id"],
            "hooks": record["last_hook_id"],
        }
        if "default_chat_id" in record:
            default_chat.note(self._db, record["default_chat_id"])

    def _messages(self, batch: Batch) -> None:
        rows, mentioned, versions, uploads = list[Row](), list[mentions.Row](), list[Row](), list[Columns]()
        for record in batch.records:
            extra = None
            if not record.keys().isdisjoint(_EXTRAS):  # of most messages no value is made
                message = values.message_of(record)
                extra = extra_of(message)
                mentioned += mentions.rows_of(message)
                uploads += map(upload_row, values.attached_uploads_of(record))
            if "versions" in record:
                versions += [
                    (record["id"], one.content, micros(one.edited_at)) for one in values.versions_of(record)
                ]
            rows.append(self._message_row(record, extra))
        self._db.executemany(_INSERT_MESSAGE, rows)
        mentions.insert(self._db, mentioned)
        self._db.executemany(_INSERT_VERSION, versions)
        _insert(self._db, "uploads", uploads)

    def _message_row(self, record: Record, extra: str | None) -> Row:
        """The row of the next message of its chat."""
        chat_id, seq, sender_id = record["chat_id"], record["seq"], record["sender_id"]
        created = to_micros(time_of(record["created_at"]))
        self._activity[chat_id] = max(created, self._activity.get(chat_id, created))
        deleted = record.get("deleted", False)
        run_seq = seq
        if not deleted:
            if self._run[:2] == (chat_id, sender_id):
                run_seq = self._run[2]
            else:
                self._run = chat_id, sender_id, run_seq
        return (
            record["id"],
            chat_id,
            seq,
            record["changed_seq"],
            sender_id,
            record.get("client_id"),
            record["content"],
            record.get("message_type", "text"),
            record.get("reply_to"),
            created,
            micros_of(record.get("edited_at")),
            deleted,
            record.get("pinned_seq", 0),
            extra,
            run_seq,
        )

    def _end_chat(self, batch: Batch | None) -> None:
        """Notes when the chat before was active last."""
        if batch is None or batch.kind == "chat":
            self._db.executemany(
                "UPDATE chats SET activity = max(activity, ?) WHERE id = ?",
                [(at, chat_id) for chat_id, at in self._activity.items()],
            )
            self._activity = {}


_EXTRAS = ("reactions", "attachments", "mentions", "mentions_all")
"""The keys of a record that stand in the column `extra`."""

_INSERT_MESSAGE = (
    "INSERT INTO messages (id, chat_id, seq, changed_seq, sender_id, client_id, content, message_type, reply_to,"
    " created_at, edited_at, deleted, pinned, extra, run_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

_INSERT_VERSION = "INSERT INTO versions (message_id, content, edited_at) VALUES (?, ?, ?)"

_MEMBER_COUNTS = """
UPDATE chats SET member_count = (SELECT count(*) FROM members WHERE members.chat_id = chats.id)
"""

_UPLOADS_BYTES = """
UPDATE users SET uploads_bytes = used.bytes
FROM (SELECT user_id, sum(size) AS bytes FROM uploads GROUP BY user_id) AS used WHERE used.user_id = users.id
"""


def _take_indexes(db: sqlite3.Connection) -> Sequence[str]:
    """Takes the indexes of messages away, and returns what makes them again: sorted once, they cost a third of what
    they cost row by row, and far less where the file is larger than memory."""
    found = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'messages' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        db.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _insert(db: sqlite3.Connection, table: str, rows: Sequence[Columns]) -> None:
    """Inserts rows, each given as the values of its columns."""
    if rows:
        columns = ", ".join(rows[0])
        marks = ", ".join(f":{column}" for column in rows[0])
        db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608 -- our own words


def _raise_sequence(db: sqlite3.Connection, table: str, last_id: int) -> None:
    """Makes the next id of the table higher than that one, as it is higher than those that are there."""
    known = {"name": table, "seq": last_id}
    updated = db.execute("UPDATE sqlite_sequence SET seq = max(seq, :seq) WHERE name = :name", known)
    if not updated.rowcount:
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)", known)
