"""The rows of hooks, and of their users."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from domain.hooks import Delivery, Hook, user_of
from domain.text import name_key
from storage.sqlite.rows import Row
from storage.times import from_micros, to_micros


def get(db: sqlite3.Connection, hook_id: int) -> Hook | None:
    row = row_of(db, hook_id)
    return None if row is None else hook_of(row)


def row_of(db: sqlite3.Connection, hook_id: int) -> Row | None:
    row: Row | None = db.execute("SELECT * FROM hooks WHERE id = ?", (hook_id,)).fetchone()
    return row


def by_key(db: sqlite3.Connection, key_hash: str) -> Row | None:
    row: Row | None = db.execute("SELECT * FROM hooks WHERE key_hash = ?", (key_hash,)).fetchone()
    return row


def of_chat(db: sqlite3.Connection, chat_id: int) -> Sequence[Row]:
    """By id."""
    return db.execute("SELECT * FROM hooks WHERE chat_id = ? ORDER BY id", (chat_id,)).fetchall()


def outgoing(db: sqlite3.Connection, after_id: int, limit: int) -> Sequence[Row]:
    """Of all chats, by id."""
    return db.execute(
        "SELECT * FROM hooks WHERE kind = 'outgoing' AND id > ? ORDER BY id LIMIT ?", (after_id, limit)
    ).fetchall()


def insert(db: sqlite3.Connection, hook: Hook, position: int) -> None:
    db.execute(
        "INSERT INTO hooks (id, chat_id, kind, name, user_id, created_by, created_at, target_url, events,"
        " include_bots, paused, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            hook.id,
            hook.chat_id,
            hook.kind,
            hook.name,
            hook.user_id,
            hook.created_by,
            to_micros(hook.created_at),
            hook.target_url,
            " ".join(hook.events),
            hook.include_bots,
            hook.paused,
            position,
        ),
    )
    user = user_of(hook)
    db.execute(
        "INSERT INTO users (id, username, display_name, password_hash, created_at, is_bot, is_hook, username_key,"
        " display_name_key) VALUES (?, ?, ?, '', ?, 1, 1, ?, ?)",
        (
            user.id,
            user.username,
            user.display_name,
            to_micros(user.created_at),
            name_key(user.username),
            name_key(user.display_name),
        ),
    )


def update(db: sqlite3.Connection, hook: Hook) -> None:
    db.execute(
        "UPDATE hooks SET name = ?, created_by = ?, target_url = ?, events = ?, include_bots = ?, paused = ?"
        " WHERE id = ?",
        (
            hook.name,
            hook.created_by,
            hook.target_url,
            " ".join(hook.events),
            hook.include_bots,
            hook.paused,
            hook.id,
        ),
    )
    db.execute(
        "UPDATE users SET display_name = ?, display_name_key = ? WHERE id = ?",
        (hook.name, name_key(hook.name), hook.user_id),
    )


def set_key(db: sqlite3.Connection, hook_id: int, key_hash: str | None, secret: str | None) -> None:
    db.execute("UPDATE hooks SET key_hash = ?, secret = ? WHERE id = ?", (key_hash, secret, hook_id))


def set_delivery(db: sqlite3.Connection, hook_id: int, delivery: Delivery) -> bool:
    """Whether there is such a hook."""
    updated = db.execute(
        "UPDATE hooks SET position = ?, attempts = ?, failing_since = ?, last_error = ?, next_try_at = ?, stopped = ?"
        " WHERE id = ?",
        (
            delivery.position,
            delivery.attempts,
            _to_micros_or_none(delivery.failing_since),
            delivery.last_error,
            _to_micros_or_none(delivery.next_try_at),
            delivery.stopped,
            hook_id,
        ),
    )
    return updated.rowcount > 0


def delete(db: sqlite3.Connection, hook_id: int, user_id: int) -> None:
    """Deletes the hook. Its user stays as that of an ended account does."""
    db.execute("DELETE FROM hooks WHERE id = ?", (hook_id,))
    db.execute(
        "UPDATE users SET deleted = 1, display_name = username, display_name_key = username_key WHERE id = ?",
        (user_id,),
    )


def hook_of(row: Row) -> Hook:
    hook_id, chat_id, kind, name, user_id, created_by, created, target_url, events, bots, paused, *_ = row
    return Hook(
        hook_id,
        chat_id,
        kind,
        name,
        user_id,
        created_by,
        from_micros(created),
        target_url,
        tuple(events.split()),
        bool(bots),
        bool(paused),
    )


def delivery_of(row: Row) -> Delivery:
    position, attempts, failing_since, last_error, next_try, stopped = row[13:19]
    return Delivery(
        position, attempts, _moment(failing_since), last_error, _moment(next_try), stopped=bool(stopped)
    )


def secret_of(row: Row) -> str:
    return str(row[12])


def keys_of(row: Row) -> tuple[str | None, str | None]:
    """The hash of the key of an incoming hook, and the secret of an outgoing one."""
    return row[11], row[12]


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def _to_micros_or_none(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)
