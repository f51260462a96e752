"""Events about a chat for its members, whether their connections have joined it or not."""

from collections.abc import Collection, Mapping

from domain.changes import ChatDeleted, MemberRemoved, UserBanned
from domain.models import User
from handlers.context import Context
from handlers.live.directory import LoadedChat
from handlers.live.throttle import Throttle
from handlers.wire import events
from handlers.wire.events import RemovalReason

CHANGED_EACH_MEMBERS_MAX = 100
"""In chats with more members, `chat_changed` is not published for each member who comes or goes."""

CHANGED_EVERY_S = 1.0
"""There it is published at most this often, with the last state in the end."""


class MemberEvents:
    """Publishes `chat_added`, `chat_removed` and `chat_changed` in the order of the changes of a chat.

    The announcer loads a chat that is not in memory first; it then calls back, with the chat as it is by then.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._members_changed = Throttle(context.clock, CHANGED_EVERY_S, self.changed)

    def added(self, chat_id: int, user_ids: Collection[int]) -> None:
        """Publishes `chat_added` to all connections of new members. Connections that asked for the rooms of all chats
        enter the room. Nothing is loaded for users who are connected to other nodes only."""
        if not self._context.connections.any_of(user_ids):
            return

        def publish(chat: LoadedChat | None, _users: Mapping[int, User]) -> None:
            if chat is None:
                return  # deleted meanwhile: the new members never saw it
            added = events.chat_added(chat_id, chat.head_seq, self._context.clock.now())
            self._context.announcer.to_users(user_ids, added)
            for user_id in user_ids:
                if user_id in chat.members:
                    self._context.subscriptions.added(user_id, chat)

        self._context.announcer.announce(chat_id, publish)

    def removed(self, change: MemberRemoved | UserBanned) -> None:
        """Publishes `chat_removed` to all connections of a former member."""
        reason = _reason_of(change)

        def publish(_chat: LoadedChat | None, _users: Mapping[int, User]) -> None:
            self._publish_removed(change.user_id, change.chat_id, reason, change.name)

        self._context.announcer.announce(change.chat_id, publish, chat=False)

    def deleted(self, change: ChatDeleted) -> None:
        """Publishes `chat_removed` to all connections of all former members of a deleted chat."""
        is_private = change.chat_type == "private"

        def publish(_chat: LoadedChat | None, users: Mapping[int, User]) -> None:
            for user_id in change.member_ids:
                reason: RemovalReason = "left" if user_id == change.left_id else "deleted"
                name = _name_of_other(user_id, users) if is_private else change.name
                self._publish_removed(user_id, change.chat_id, reason, name)

        users = change.member_ids if is_private else ()
        self._context.announcer.announce(change.chat_id, publish, chat=False, users=users)

    def changed(self, chat_id: int) -> None:
        """Publishes `chat_changed` to all connections of all members."""

        def publish(chat: LoadedChat | None, _users: Mapping[int, User]) -> None:
            if chat is not None:
                self._publish_changed(chat)

        self._context.announcer.announce(chat_id, publish)

    def members_changed(self, chat_id: int) -> None:
        """As `changed`, after a member came or went: in a large chat once a second for all of them."""

        def publish(chat: LoadedChat | None, _users: Mapping[int, User]) -> None:
            if chat is None:
                return
            if len(chat.members) <= CHANGED_EACH_MEMBERS_MAX:
                self._publish_changed(chat)
            else:
                self._members_changed.ask(chat_id)

        self._context.announcer.announce(chat_id, publish)

    def stop(self) -> None:
        """Ends the timers."""
        self._members_changed.stop()

    def _publish_changed(self, chat: LoadedChat) -> None:
        changed = events.chat_changed(chat.snapshot(), self._context.clock.now())
        self._context.announcer.to_users(chat.members, changed)

    def _publish_removed(self, user_id: int, chat_id: int, reason: RemovalReason, name: str | None) -> None:
        removed = events.chat_removed(chat_id, reason, name, self._context.clock.now())
        self._context.announcer.to_users((user_id,), removed)


def _reason_of(change: MemberRemoved | UserBanned) -> RemovalReason:
    if isinstance(change, UserBanned):
        return "banned"
    return "left" if change.actor_id == change.user_id else "removed"


def _name_of_other(user_id: int, users: Mapping[int, User]) -> str | None:
    """The name that a private chat has for a member: the display name of the other member."""
    return next((user.display_name for other_id, user in users.items() if other_id != user_id), None)
