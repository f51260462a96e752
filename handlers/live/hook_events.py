"""What clients hear of hooks: what becomes of their users."""

from datetime import datetime

from domain.decisions.accounts import ended
from domain.hook_changes import HookChanged, HookRemoved
from domain.hooks import Hook, user_of
from domain.models import User
from handlers.live.hub import Hub
from handlers.live.loaded_chat import room_of
from handlers.wire import events


class HookEvents:
    """Publishes `user_changed` of the users of hooks to the rooms of their chats: they are members of none."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def changed(self, change: HookChanged, at: datetime) -> None:
        """Only another name shows."""
        if "name" in change.changed:
            self._user_changed(change.hook, user_of(change.hook), at)

    def removed(self, change: HookRemoved, at: datetime) -> None:
        """The user of the hook has ended."""
        self._user_changed(change.hook, ended(user_of(change.hook)), at)

    def _user_changed(self, hook: Hook, user: User, at: datetime) -> None:
        name, payload = events.user_changed(user, "offline", at, own=False)
        self._hub.emit(name, payload, room=room_of(hook.chat_id))
