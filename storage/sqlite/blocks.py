"""Whom users have blocked."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from domain.decisions.blocks import check_block
from domain.decisions.private_chats import follow_block
from storage.sqlite.database import Database
from storage.sqlite.writer import Writer
from storage.times import to_micros


class SqliteBlocks:
    """See `storage.ports.Blocks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def block(self, user_id: int, blocked_id: int, at: datetime) -> None:
        await self._database.write(lambda writer: _block(writer, user_id, blocked_id, at))

    async def unblock(self, user_id: int, blocked_id: int) -> None:
        await self._database.write(lambda writer: _unblock(writer, user_id, blocked_id))

    async def blocked_by(self, user_id: int, *, after_id: int, limit: int) -> Sequence[int]:
        return await self._database.read(_page, user_id, after_id, limit)


def _block(writer: Writer, user_id: int, blocked_id: int, at: datetime) -> None:
    if user_id in writer.chats.blockers_of(blocked_id, [user_id]):
        return
    (blocks,) = writer.db.execute("SELECT count(*) FROM blocks WHERE user_id = ?", (user_id,)).fetchone()
    check_block(writer.chats.accounts([blocked_id]).get(blocked_id), blocked_id, blocks)
    row = user_id, blocked_id, to_micros(at)
    writer.db.execute("INSERT INTO blocks (user_id, blocked_id, at) VALUES (?, ?, ?)", row)
    _follow(writer, user_id, blocked_id)


def _unblock(writer: Writer, user_id: int, blocked_id: int) -> None:
    writer.db.execute("DELETE FROM blocks WHERE user_id = ? AND blocked_id = ?", (user_id, blocked_id))
    _follow(writer, user_id, blocked_id)


def _follow(writer: Writer, user_id: int, blocked_id: int) -> None:
    """Says in the private chat of the two, if there is one, what the block says."""
    chat_id = writer.chats.private_chat_id(sorted((user_id, blocked_id)))
    change = None if chat_id is None else follow_block(writer.chats, chat_id, (user_id, blocked_id))
    if change is not None:
        writer.apply(change)


def _page(db: sqlite3.Connection, user_id: int, after_id: int, limit: int) -> Sequence[int]:
    rows = db.execute(
        "SELECT blocked_id FROM blocks WHERE user_id = ? AND blocked_id > ? ORDER BY blocked_id LIMIT ?",
        (user_id, after_id, limit),
    )
    return [blocked_id for (blocked_id,) in rows]
