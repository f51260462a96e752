"""Invites of chats and of the server."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from domain.audit import AuditEntry
from domain.changes import MemberAdded
from domain.decisions import invites as decisions
from domain.decisions.admins import ADMINS_ONLY
from domain.invites import Invite, InviteView, Use
from domain.models import User
from domain.refusals import Forbidden, NotFound
from storage.sqlite import audit_rows, invite_rows
from storage.sqlite.chat_view import SqliteChatView
from storage.sqlite.database import Database
from storage.sqlite.message_view import SqliteMessageView
from storage.sqlite.rows import user_of
from storage.sqlite.writer import Writer
from storage.times import to_micros


class SqliteInvites:
    """See `storage.ports.Invites`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, invite: Invite) -> Invite:
        return await self._database.write(_create, invite)

    async def of_chat(self, chat_id: int, user_id: int, at: datetime) -> Sequence[Invite]:
        return await self._database.read(lambda db: decisions.working(_view(db), chat_id, user_id, at))

    async def of_server(self, at: datetime) -> Sequence[Invite]:
        return await self._database.read(_of_server, at)

    async def find(self, code: str, at: datetime) -> InviteView | None:
        return await self._database.read(_find, code, at)

    async def remove(self, code: str, user_id: int, at: datetime, *, is_server_admin: bool = False) -> None:
        await self._database.write(_remove, code, user_id, at, is_server_admin)

    async def accept(self, code: str, user_id: int, at: datetime) -> int | None:
        return await self._database.write(_accept, code, user_id, at)

    async def take(self, code: str, at: datetime) -> Use:
        return await self._database.write(_take, code, at)

    async def give_back(self, use: Use) -> None:
        await self._database.write(lambda writer: invite_rows.add_uses(writer.db, use.code, -1))

    async def enter(self, use: Use, user_id: int, at: datetime) -> None:
        await self._database.write(_enter, use, user_id, at)


def _view(db: sqlite3.Connection) -> SqliteChatView:
    return SqliteChatView(SqliteMessageView(db))


def _create(writer: Writer, invite: Invite) -> Invite:
    made = None if invite.chat_id is None else decisions.make(writer.chats, invite)
    if made is None:
        others = _of_server(writer.db, invite.created_at)
        decisions.check_make_on_server(invite, _user(writer.db, invite.created_by), others)
    invite_rows.delete_over(writer.db, invite.chat_id, to_micros(invite.created_at))
    if made is not None:
        writer.apply(made)
    else:
        invite_rows.insert(writer.db, invite)
        _tell(writer, invite.created_by, "invite_made", invite.created_at)
    return invite


def _of_server(db: sqlite3.Connection, at: datetime) -> Sequence[Invite]:
    invites = invite_rows.all_of(db, None)
    makers = {maker_id: _user(db, maker_id) for maker_id in {invite.created_by for invite in invites}}
    return decisions.in_order(
        invite for invite in invites if decisions.works_on_server(invite, at, makers[invite.created_by])
    )


def _find(db: sqlite3.Connection, code: str, at: datetime) -> InviteView | None:
    try:
        return _check(_view(db), db, code, at)
    except NotFound:
        return None


def _check(view: SqliteChatView, db: sqlite3.Connection, code: str, at: datetime) -> InviteView:
    """Raises: `NotFound` if the invite does not work."""
    invite = view.invite(code)
    if invite is None:
        raise NotFound("invite")
    maker = _user(db, invite.created_by)
    if invite.chat_id is None:
        if not decisions.works_on_server(invite, at, maker):
            raise NotFound("invite")
        return InviteView(invite, None, maker)
    decisions.check_works(view, invite.chat_id, code, at)
    return InviteView(invite, view.chat(invite.chat_id), maker)


def _user(db: sqlite3.Connection, user_id: int) -> User:
    return user_of(db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone())


def _remove(writer: Writer, code: str, user_id: int, at: datetime, is_server_admin: bool) -> None:
    invite = writer.chats.invite(code)
    if invite is None:
        raise NotFound("invite")
    if invite.chat_id is None:
        if not is_server_admin:
            raise Forbidden(ADMINS_ONLY)
        invite_rows.delete(writer.db, code)
        _tell(writer, user_id, "invite_removed", at)
        return
    writer.apply(
        decisions.remove(writer.chats, invite.chat_id, code, user_id, at, is_server_admin=is_server_admin)
    )


def _tell(
    writer: Writer, actor_id: int, action: Literal["invite_made", "invite_removed"], at: datetime
) -> None:
    """Adds an entry to the audit of the server."""
    audit_rows.write(writer.db, None, [AuditEntry(0, at, actor_id, action)])


def _accept(writer: Writer, code: str, user_id: int, at: datetime) -> int | None:
    invite = _check(writer.chats, writer.db, code, at).invite
    if invite.chat_id is None:
        return None
    outcome = decisions.accept(writer.chats, invite.chat_id, code, user_id, at)
    if isinstance(outcome, MemberAdded):
        writer.apply(outcome)
        invite_rows.add_uses(writer.db, code, 1)
    return invite.chat_id


def _take(writer: Writer, code: str, at: datetime) -> Use:
    invite = _check(writer.chats, writer.db, code, at).invite
    invite_rows.add_uses(writer.db, code, 1)
    return Use(code, invite.chat_id, invite.uses + 1)


def _enter(writer: Writer, use: Use, user_id: int, at: datetime) -> None:
    assert use.chat_id is not None
    writer.carry_out(decisions.accept(writer.chats, use.chat_id, use.code, user_id, at, claimed=True))
