"""What the changes of hooks do to the tables."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.changes import Change
from domain.decisions.hooks import resumed
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from storage.sqlite import hook_rows
from storage.sqlite.message_view import SqliteMessageView


def end_hooks(view: SqliteMessageView, chat_id: int) -> None:
    """The chat is gone."""
    for hook in map(hook_rows.hook_of, hook_rows.of_chat(view.db, chat_id)):
        hook_rows.delete(view.db, hook.id, hook.user_id)


def _added(view: SqliteMessageView, change: HookAdded) -> None:
    hook = change.hook
    hook_rows.insert(view.db, hook, view.head(hook.chat_id) if hook.kind == "outgoing" else 0)


def _changed(view: SqliteMessageView, change: HookChanged) -> None:
    hook = change.hook
    hook_rows.update(view.db, hook)
    row = hook_rows.row_of(view.db, hook.id)
    if change.resumed and hook.kind == "outgoing" and row is not None:
        delivery = resumed(hook_rows.delivery_of(row), view.head(hook.chat_id))
        hook_rows.set_delivery(view.db, hook.id, delivery)


def _removed(view: SqliteMessageView, change: HookRemoved) -> None:
    hook_rows.delete(view.db, change.hook.id, change.hook.user_id)


HOOK_CHANGES: Mapping[type[Change], Callable[[SqliteMessageView, Any], None]] = {
    HookAdded: _added,
    HookChanged: _changed,
    HookRemoved: _removed,
}
