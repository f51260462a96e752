"""After every commit: memory is brought up to date and the rooms are told, before anybody who waited goes on."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from domain import changes
from domain.changes import Change, MessageChange
from domain.models import User
from handlers.context import Context
from handlers.live.connections import Connection, leave_room
from handlers.live.directory import OpenChat, room_of
from handlers.live.throttle import Throttle
from handlers.wire import events
from handlers.wire.endings import Ending
from handlers.wire.events import Event, RemovalReason

MEMBERS_TOLD_EACH_MAX = 100
"""In chats with more members, `chat_changed` is not told for each who comes or goes."""

MEMBERS_TOLD_EVERY_S = 1.0


class Publisher:
    """The store's observer. `ended` is called with each connection that a change has ended."""

    def __init__(self, context: Context, ended: Callable[[Connection, Ending], None]) -> None:
        self._context = context
        self._ended = ended
        self._at = context.clock.now()
        """When what is being told is told."""
        self._members_changed = Throttle(context.clock, MEMBERS_TOLD_EVERY_S, self._tell_changed)
        self._told: dict[type[Any], Callable[[Any], None]] = {
            changes.MessageCreated: self._message_created,
            changes.MessageEdited: self._message_edited,
            changes.MessageDeleted: self._message_deleted,
            changes.ReadMoved: self._read_moved,
            changes.ChatCreated: self._chat_created,
            changes.ChatRenamed: self._chat_renamed,
            changes.ChatDeleted: self._chat_deleted,
            changes.MemberAdded: self._member_added,
            changes.MemberRemoved: self._member_removed,
            changes.RoleChanged: self._role_changed,
            changes.SessionsRevoked: self._sessions_revoked,
            changes.UserChanged: self._user_changed,
        }

    def __call__(self, told: Sequence[Change]) -> None:
        self._at = self._context.clock.now()
        # Chat by chat, so that the events of one room are joined into one write for each member; the order within
        # a chat stays, and between chats there is none.
        for change in sorted(told, key=_chat_of):
            self._told[type(change)](change)

    def _message_created(self, change: changes.MessageCreated) -> None:
        message = change.message
        self._context.typing.stop(message.chat_id, message.sender_id)
        self._tell_message(change, events.new_message(message, self._at))

    def _message_edited(self, change: changes.MessageEdited) -> None:
        self._tell_message(change, events.message_updated(change.message, self._at))

    def _message_deleted(self, change: changes.MessageDeleted) -> None:
        self._tell_message(change, events.message_deleted(change.message, self._at))

    def _tell_message(self, change: MessageChange, event: Event) -> None:
        chat_id = change.message.chat_id
        self._context.directory.told(chat_id, change.message.changed_seq)
        name, payload = event
        self._context.hub.emit(name, payload, room=room_of(chat_id))
        self._context.updates.changed(chat_id)

    def _read_moved(self, change: changes.ReadMoved) -> None:
        name, payload = events.messages_read(
            change.chat_id, change.user_id, change.up_to, change.read_seq, self._at
        )
        self._context.hub.emit(name, payload, room=room_of(change.chat_id))
        self._context.updates.read(change.chat_id, change.user_id)

    def _chat_created(self, change: changes.ChatCreated) -> None:
        self._context.directory.opened(change.state)
        self._tell_added(change.state.chat.id, change.state.members.keys())

    def _chat_renamed(self, change: changes.ChatRenamed) -> None:
        self._context.directory.renamed(change.chat)
        self._tell_changed(change.chat.id)

    def _chat_deleted(self, change: changes.ChatDeleted) -> None:
        chat = self._context.directory.peek(change.chat_id)
        if chat is not None:
            for connection in list(chat.joined.values()):
                leave_room(self._context.hub, connection, chat.id)
        self._context.directory.deleted(change.chat_id)
        self._context.announcer.dissolved(change.member_ids)
        others = change.member_ids if change.chat_type == "private" else ()

        def publish(_chat: OpenChat | None, users: Mapping[int, User]) -> None:
            for user_id in change.member_ids:
                reason: RemovalReason = "left" if user_id == change.left_id else "deleted"
                name = _other_of(user_id, users) if change.chat_type == "private" else change.name
                self._tell_removed(user_id, change.chat_id, reason, name)

        self._context.announcer.announce(change.chat_id, publish, chat=False, users=others)

    def _member_added(self, change: changes.MemberAdded) -> None:
        self._context.directory.member_set(change.chat_id, change.member)
        self._tell_added(change.chat_id, (change.member.user_id,))
        self._tell_members_changed(change.chat_id)

    def _member_removed(self, change: changes.MemberRemoved) -> None:
        self._context.directory.member_gone(change.chat_id, change.user_id)
        if change.heir is not None:
            self._context.directory.member_set(change.chat_id, change.heir)
        self._context.typing.stop(change.chat_id, change.user_id)
        for connection in self._context.connections.of(change.user_id):
            leave_room(self._context.hub, connection, change.chat_id)
        self._context.announcer.left(change.user_id, change.chat_id)
        reason: RemovalReason = "left" if change.actor_id == change.user_id else "removed"
        self._context.announcer.announce(
            change.chat_id,
            lambda _chat, _users: self._tell_removed(change.user_id, change.chat_id, reason, change.name),
            chat=False,
        )
        self._tell_members_changed(change.chat_id)

    def _role_changed(self, change: changes.RoleChanged) -> None:
        if change.heir is not None:
            self._context.directory.member_set(change.chat_id, change.heir)
        self._context.directory.member_set(change.chat_id, change.member)
        self._tell_changed(change.chat_id)

    def _sessions_revoked(self, change: changes.SessionsRevoked) -> None:
        for session_id in change.session_ids:
            self._context.identities.session_revoked(session_id)
        for connection in list(self._context.connections.of(change.user_id)):
            if connection.session_id in change.session_ids:
                self._ended(connection, Ending.REVOKED)

    def _user_changed(self, change: changes.UserChanged) -> None:
        self._context.identities.user_changed(change.user)
        if change.shown:
            self._context.announcer.user_changed(change.user)
        if not change.user.active:
            for connection in list(self._context.connections.of(change.user.id)):
                self._ended(connection, Ending.REVOKED)

    def _tell_added(self, chat_id: int, user_ids: Collection[int]) -> None:
        def publish(chat: OpenChat | None, _users: Mapping[int, User]) -> None:
            if chat is None:
                return  # deleted meanwhile: they never saw it
            added = events.chat_added(chat_id, chat.head_seq, self._context.clock.now())
            self._context.announcer.to_users(user_ids, added)
            for user_id in user_ids:
                if user_id in chat.members:
                    self._context.subscriptions.added(user_id, chat)

        self._context.announcer.announce(chat_id, publish)

    def stop(self) -> None:
        self._members_changed.stop()

    def _tell_members_changed(self, chat_id: int) -> None:
        """As `_tell_changed`, for somebody who came or went: in a large chat once a second for all of them."""

        def publish(chat: OpenChat | None, _users: Mapping[int, User]) -> None:
            if chat is None:
                return
            if len(chat.members) <= MEMBERS_TOLD_EACH_MAX:
                self._publish_changed(chat)
            else:
                self._members_changed.ask(chat_id)

        self._context.announcer.announce(chat_id, publish)

    def _tell_changed(self, chat_id: int) -> None:
        """Tells all members' connections."""

        def publish(chat: OpenChat | None, _users: Mapping[int, User]) -> None:
            if chat is not None:
                self._publish_changed(chat)

        self._context.announcer.announce(chat_id, publish)

    def _publish_changed(self, chat: OpenChat) -> None:
        changed = events.chat_changed(chat.snapshot(), self._context.clock.now())
        self._context.announcer.to_users(chat.members, changed)

    def _tell_removed(self, user_id: int, chat_id: int, reason: RemovalReason, name: str | None) -> None:
        removed = events.chat_removed(chat_id, reason, name, self._context.clock.now())
        self._context.announcer.to_users((user_id,), removed)


def _other_of(user_id: int, users: Mapping[int, User]) -> str | None:
    """What a member of a private chat sees it under: the display name of the other one."""
    return next((user.display_name for other_id, user in users.items() if other_id != user_id), None)


def _chat_of(change: Change) -> int:
    """The chat a change belongs to; 0 for those of no chat."""
    if isinstance(change, MessageChange):
        return change.message.chat_id
    if isinstance(change, changes.ChatCreated):
        return change.state.chat.id
    if isinstance(change, changes.ChatRenamed):
        return change.chat.id
    if isinstance(change, changes.SessionsRevoked | changes.UserChanged):
        return 0
    return change.chat_id
