"""Bots and their tokens."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from domain.acts import UNAUDITED, Act
from domain.decisions.bots import check_bot, check_may_own, check_room
from domain.models import Session, User
from storage.bot_tokens import FOR_EVER, token_key
from storage.sqlite import account_acts
from storage.sqlite.accounts import bots_of, end_sessions_but, get, insert
from storage.sqlite.database import Database
from storage.sqlite.rows import user_of
from storage.sqlite.sessions import insert_session
from storage.sqlite.writer import Writer


class SqliteBots:
    """See `storage.bot_ports.Bots`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        *,
        owner_id: int,
        username: str,
        display_name: str,
        token_id: str,
        created_at: datetime,
        act: Act = UNAUDITED,
    ) -> User:
        draft = User(0, username, display_name, None, "", created_at, is_bot=True, owner_id=owner_id)
        return await self._database.write(_create, draft, token_id, act)

    async def of_owner(self, owner_id: int) -> Sequence[User]:
        return await self._database.read(bots_of, owner_id)

    async def page(self, *, after_id: int, limit: int) -> Sequence[User]:
        return await self._database.read(_page, after_id, limit)

    async def renew_token(self, bot_id: int, token_id: str, at: datetime, act: Act = UNAUDITED) -> None:
        await self._database.write(_renew_token, bot_id, token_id, at, act)


def _page(db: sqlite3.Connection, after_id: int, limit: int) -> Sequence[User]:
    rows = db.execute(
        "SELECT * FROM users WHERE owner_id IS NOT NULL AND deleted = 0 AND id > ? ORDER BY id LIMIT ?",
        (after_id, limit),
    )
    return [user_of(row) for row in rows]


def _create(writer: Writer, draft: User, token_id: str, act: Act) -> User:
    assert draft.owner_id is not None
    check_may_own(get(writer.db, draft.owner_id))
    check_room(len(bots_of(writer.db, draft.owner_id)))
    bot = insert(writer.db, draft)
    _give_token(writer, bot, token_id, bot.created_at)
    account_acts.note(writer, act, "user_created", bot.id, bot.username)
    return bot


def _renew_token(writer: Writer, bot_id: int, token_id: str, at: datetime, act: Act) -> None:
    bot = check_bot(get(writer.db, bot_id))
    _give_token(writer, bot, token_id, at)
    end_sessions_but(writer, bot_id, token_id)
    account_acts.note(writer, act, "token_renewed", bot_id)


def _give_token(writer: Writer, bot: User, token_id: str, at: datetime) -> None:
    insert_session(writer, Session(token_id, bot.id, at), token_key(token_id), FOR_EVER)
