"""Hooks."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from domain.changes import Change
from domain.decisions import hooks as decisions
from domain.decisions.view import MemberView
from domain.hooks import Delivery, Hook, HookState, HookUpdate, OutgoingHook
from domain.models import Appended, Draft
from domain.permissions import check_hooks
from domain.refusals import NotFound
from storage.promise import Promise
from storage.sqlite import accounts, hook_rows
from storage.sqlite.chat_view import SqliteChatView
from storage.sqlite.database import Database
from storage.sqlite.message_view import SqliteMessageView, last_id
from storage.sqlite.rows import Row
from storage.sqlite.writer import Write, Writer

_LEASE = 1
"""The number of the one lease of each hook: there is one node."""


class SqliteHooks:
    """See `storage.hook_ports.Hooks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, hook: Hook, *, key_hash: str | None = None, secret: str | None = None) -> Hook:
        return await self._database.write(_create, hook, key_hash, secret)

    async def of_chat(self, chat_id: int, user_id: int) -> Sequence[HookState]:
        return await self._database.read(_of_chat, chat_id, user_id)

    async def get(self, hook_id: int) -> HookState | None:
        return await self._database.read(lambda db: _state(db, hook_rows.row_of(db, hook_id)))

    async def change(self, hook_id: int, user_id: int, update: HookUpdate, at: datetime) -> HookState:
        return await self._database.write(
            _decide,
            hook_id,
            lambda view, chat_id: decisions.change(view, chat_id, hook_id, user_id, update, at),
        )

    async def renew_key(
        self,
        hook_id: int,
        user_id: int,
        at: datetime,
        *,
        key_hash: str | None = None,
        secret: str | None = None,
    ) -> HookState:
        def action(writer: Writer) -> HookState:
            state = _decide(
                writer,
                hook_id,
                lambda view, chat_id: decisions.renew_key(view, chat_id, hook_id, user_id, at),
            )
            hook_rows.set_key(writer.db, hook_id, key_hash, secret)
            return state

        return await self._database.write(action)

    async def remove(self, hook_id: int, user_id: int, at: datetime) -> None:
        await self._database.write(_remove, hook_id, user_id, at)

    async def by_key(self, key_hash: str) -> HookState | None:
        return await self._database.read(lambda db: _state(db, hook_rows.by_key(db, key_hash)))

    def post(self, hook_id: int, draft: Draft) -> Promise[Appended]:
        def action(writer: Writer) -> Appended:
            view = writer.messages
            if draft.client_id is not None:
                view.find_first_uses([(draft.sender_id, draft.client_id)])
            appended: Appended = writer.carry_out(decisions.post(view, hook_id, draft))
            return appended

        return self._database.submit(Write(action, weight=len(draft.content)))

    async def outgoing(self, *, after_id: int = 0, limit: int) -> Sequence[OutgoingHook]:
        return await self._database.read(
            lambda db: [_outgoing(db, row) for row in hook_rows.outgoing(db, after_id, limit)]
        )

    async def outgoing_hook(self, hook_id: int) -> OutgoingHook | None:
        def query(db: sqlite3.Connection) -> OutgoingHook | None:
            row = hook_rows.row_of(db, hook_id)
            return None if row is None or hook_rows.hook_of(row).kind != "outgoing" else _outgoing(db, row)

        return await self._database.read(query)

    async def take(self, hook_id: int, living: Collection[str]) -> int | None:
        return None if await self._database.read(hook_rows.get, hook_id) is None else _LEASE

    async def save_delivery(self, hook_id: int, lease: int, delivery: Delivery) -> bool:
        return await self._database.write(lambda writer: hook_rows.set_delivery(writer.db, hook_id, delivery))


def _create(writer: Writer, draft: Hook, key_hash: str | None, secret: str | None) -> Hook:
    hook = replace(draft, id=last_id(writer.db, "hooks") + 1, user_id=last_id(writer.db, "users") + 1)
    writer.apply(decisions.add(writer.chats, hook))
    hook_rows.set_key(writer.db, hook.id, key_hash, secret)
    return hook


def _decide(writer: Writer, hook_id: int, decision: Callable[[MemberView, int], Change | Hook]) -> HookState:
    """The hook after the decision, which gets the id of its chat. Raises: `NotFound`, and as the decision."""
    before = _hook(writer.db, hook_id)
    writer.carry_out(decision(writer.chats, before.chat_id))
    state = _state(writer.db, hook_rows.row_of(writer.db, hook_id), writer.chats)
    assert state is not None
    if state.hook.name != before.name:
        accounts.publish(writer, before.user_id, shown=True)
    return state


def _remove(writer: Writer, hook_id: int, user_id: int, at: datetime) -> None:
    hook = _hook(writer.db, hook_id)
    writer.apply(decisions.remove(writer.chats, hook.chat_id, hook_id, user_id, at))
    accounts.publish(writer, hook.user_id, shown=True)


def _hook(db: sqlite3.Connection, hook_id: int) -> Hook:
    """Raises: `NotFound`."""
    hook = hook_rows.get(db, hook_id)
    if hook is None:
        raise NotFound(f"hook {hook_id}")
    return hook


def _of_chat(db: sqlite3.Connection, chat_id: int, user_id: int) -> Sequence[HookState]:
    view = _view(db)
    check_hooks(view.actor(chat_id, user_id))
    states = (_state(db, row, view) for row in hook_rows.of_chat(db, chat_id))
    return [state for state in states if state is not None]


def _outgoing(db: sqlite3.Connection, row: Row) -> OutgoingHook:
    state = _state(db, row)
    assert state is not None
    return OutgoingHook(state, hook_rows.secret_of(row))


def _state(db: sqlite3.Connection, row: Row | None, view: MemberView | None = None) -> HookState | None:
    """The hook of a row; None without one."""
    if row is None:
        return None
    hook = hook_rows.hook_of(row)
    has_maker = decisions.has_maker(view or _view(db), hook)
    return HookState(hook, hook_rows.delivery_of(row), has_maker)


def _view(db: sqlite3.Connection) -> SqliteChatView:
    return SqliteChatView(SqliteMessageView(db))
