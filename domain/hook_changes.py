"""The kinds of changes of hooks."""

from collections.abc import Sequence
from datetime import datetime

from domain.changes import Change, change
from domain.hooks import Hook


@change("hook_added", logged=True, since=4)
class HookAdded(Change):
    """A chat has a new hook."""

    hook: Hook

    @property
    def chat_id(self) -> int:
        return self.hook.chat_id

    @property
    def actor_id(self) -> int:
        return self.hook.created_by

    @property
    def at(self) -> datetime:
        return self.hook.created_at


@change("hook_changed", logged=True, since=4)
class HookChanged(Change):
    """A hook is another one, as `hook` is now. `changed` names the fields of `Hook` that have changed, and `key` if the
    key or the secret has. `resumed`: the hook was paused, and is no longer."""

    hook: Hook
    changed: Sequence[str]
    resumed: bool
    actor_id: int
    at: datetime

    @property
    def chat_id(self) -> int:
        return self.hook.chat_id


@change("hook_removed", logged=True, since=4)
class HookRemoved(Change):
    """A hook is gone, and its user with it. `hook` is what it was, without `target_url`."""

    hook: Hook
    actor_id: int
    at: datetime

    @property
    def chat_id(self) -> int:
        return self.hook.chat_id

    @property
    def hook_id(self) -> int:
        return self.hook.id
