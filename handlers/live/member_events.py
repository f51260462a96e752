"""Events about a chat for its members, whether their connections have joined it or not."""

import asyncio
from collections.abc import Collection, Mapping

from domain.changes import (
    ChatDeleted,
    MemberRemoved,
)
from domain.models import User
from domain.moderation import UserBanned
from handlers.context import Caller, Context
from handlers.live.connections import Connection, enter_room
from handlers.live.loaded_chat import LoadedChat, room_of
from handlers.live.recovery import replay
from handlers.live.throttle import Throttle
from handlers.wire import events
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import ChatError
from handlers.wire.events import RemovalReason
from storage.errors import Unavailable

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
        self._entering: set[asyncio.Task[None]] = set()

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

    def first_message(self, chat_id: int) -> None:
        """Called before the first message of a chat is published. Publishes `chat_added` to the member of a private
        chat who does not see it yet. Their connections that asked for the rooms of all chats get the message: they
        enter the room now, or, if the chat has to be loaded first, after a replay."""
        chat = self._context.directory.peek(chat_id)
        if chat is None:
            if self._context.connections.users():
                self._context.announcer.announce(chat_id, self._publish_first)
        elif chat.unseen_by is not None:
            user_id = chat.unseen_by
            self._context.directory.seen_by_both(chat_id)
            self._publish_begins(chat, user_id)
            self.show_presence(chat)  # before others enter the room: the option `subscribe` shows no presence
            self._context.subscriptions.added(user_id, chat)

    def show_presence(self, chat: LoadedChat) -> None:
        """Sends the connections in the room of a private chat the status of the other member, which it did not carry
        before both saw it."""
        for connection in chat.joined.values():
            self._context.presence.show(chat, connection)

    def _publish_first(self, chat: LoadedChat | None, _users: Mapping[int, User]) -> None:
        if chat is None or chat.newcomer is None:
            return
        self._publish_begins(chat, chat.newcomer)
        for connection in self._context.connections.of(chat.newcomer):
            if connection.follows_all and connection.id not in chat.joined:
                task = asyncio.ensure_future(self._enter_from_start(connection, chat.id))
                self._entering.add(task)
                task.add_done_callback(self._entering.discard)

    def _publish_begins(self, chat: LoadedChat, user_id: int) -> None:
        added = events.chat_added(chat.id, 0, self._context.clock.now())
        self._context.announcer.to_users((user_id,), added)

    async def _enter_from_start(self, connection: Connection, chat_id: int) -> None:
        """Replays the whole chat to a connection, and puts the connection into the room."""
        context = self._context
        caller = Caller(connection.user_id, "", connection.session_id, connection)
        try:
            await replay(context, caller, chat_id, 0)
            chat = await context.directory.for_member(
                connection.user_id, chat_id
            )  # in memory: does not suspend
            context.connections.check(connection)
            enter_room(context.hub, connection, chat)
            context.streams.show(chat.id, connection)
        except (ChatError, Refused):
            pass  # the chat was deleted, or the connection has ended
        except Unavailable:
            context.hub.end(connection.id, Ending.OVERLOADED)

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
                if user_id == change.unseen_by:
                    continue
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

    def hook_user_changed(self, chat_id: int, user: User) -> None:
        """Publishes `user_changed` of the user of a hook as that of a member: to all connections of all members, and in
        a large chat to the room."""

        def publish(chat: LoadedChat | None, _users: Mapping[int, User]) -> None:
            if chat is None:
                return
            event = events.user_changed(user, "offline", self._context.clock.now(), own=False)
            if chat.carries_presence:
                self._context.announcer.to_users(chat.members, event)
            else:
                name, payload = event
                self._context.hub.emit(name, payload, room=room_of(chat_id))

        self._context.announcer.announce(chat_id, publish)

    def stop(self) -> None:
        """Ends the timers, and gives up replays."""
        self._members_changed.stop()
        for task in self._entering:
            task.cancel()

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
