"""What admins and owners do to users of their chats."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from domain.decisions import bans as decisions
from domain.decisions import mutes
from domain.decisions.view import MemberView
from domain.models import Ban, Member
from storage.cursor import Cursor
from storage.promise import Promise
from storage.sqlite import bans
from storage.sqlite.database import Database


class SqliteModeration:
    """See `storage.ports.Moderation`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mute(
        self, chat_id: int, actor_id: int, user_id: int, until: datetime | None, at: datetime
    ) -> Member:
        member: Member = await self._decide(
            lambda view: mutes.mute(view, chat_id, actor_id, user_id, until, at)
        )
        return member

    async def ban(
        self, chat_id: int, actor_id: int, user_id: int, reason: str | None, at: datetime
    ) -> tuple[Ban, bool]:
        banned: tuple[Ban, bool] = await self._decide(
            lambda view: decisions.ban(view, chat_id, actor_id, user_id, reason, at)
        )
        return banned

    async def unban(self, chat_id: int, actor_id: int, user_id: int, at: datetime) -> None:
        await self._decide(lambda view: decisions.unban(view, chat_id, actor_id, user_id, at))

    async def bans(self, chat_id: int, *, cursor: str | None, limit: int) -> tuple[Sequence[Ban], str | None]:
        after_id = 0 if cursor is None else Cursor.parse(cursor).id
        return await self._database.read(bans.page_of_bans, chat_id, after_id, limit)

    def _decide(self, decision: Callable[[MemberView], object]) -> Promise[Any]:
        """Queues a decision and the change it makes."""
        return self._database.write(lambda writer: writer.carry_out(decision(writer.chats)))
