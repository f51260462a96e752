"""After every commit: memory is brought up to date and the rooms are told, before anybody who waited goes on."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from handlers import events
from handlers.connections import Connection
from handlers.context import Context
from handlers.directory import OpenChat, room_of
from handlers.endings import Ending
from handlers.events import Event
from handlers.rooms import take_out
from storage import changes
from storage.changes import Change, MessageChange


class Publisher:
    """The store's observer. `ended` is called with each connection that a change has ended."""

    def __init__(self, context: Context, ended: Callable[[Connection, Ending], None]) -> None:
        self._context = context
        self._ended = ended
        self._at = context.clock.now()
        """When what is being told is told."""
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
        name, payload = events.messages_read(change.chat_id, change.user_id, change.up_to, self._at)
        self._context.hub.emit(name, payload, room=room_of(change.chat_id))
        self._context.updates.read(change.chat_id, change.user_id)

    def _chat_created(self, change: changes.ChatCreated) -> None:
        self._context.directory.opened(change.state)
        self._tell_added(change.state.members, change.state.chat.id)

    def _chat_renamed(self, change: changes.ChatRenamed) -> None:
        self._tell_changed(self._context.directory.renamed(change.chat))

    def _chat_deleted(self, change: changes.ChatDeleted) -> None:
        chat = self._context.directory.peek(change.chat_id)
        if chat is not None:
            for connection in list(chat.joined.values()):
                take_out(self._context.hub, connection, chat.id)
        self._context.directory.deleted(change.chat_id)
        self._tell_users(change.member_ids, events.chat_removed(change.chat_id, self._at))

    def _member_added(self, change: changes.MemberAdded) -> None:
        chat = self._context.directory.member_set(change.chat_id, change.member)
        self._tell_added((change.member.user_id,), change.chat_id)
        self._tell_changed(chat)

    def _member_removed(self, change: changes.MemberRemoved) -> None:
        chat = self._context.directory.member_gone(change.chat_id, change.user_id)
        if change.heir is not None:
            self._context.directory.member_set(change.chat_id, change.heir)
        self._context.typing.stop(change.chat_id, change.user_id)
        for connection in self._context.connections.of(change.user_id):
            take_out(self._context.hub, connection, change.chat_id)
        self._tell_users((change.user_id,), events.chat_removed(change.chat_id, self._at))
        self._tell_changed(chat)

    def _role_changed(self, change: changes.RoleChanged) -> None:
        if change.heir is not None:
            self._context.directory.member_set(change.chat_id, change.heir)
        self._tell_changed(self._context.directory.member_set(change.chat_id, change.member))

    def _sessions_revoked(self, change: changes.SessionsRevoked) -> None:
        for session_id in change.session_ids:
            self._context.identities.session_revoked(session_id)
        for connection in list(self._context.connections.of(change.user_id)):
            if connection.session_id in change.session_ids:
                self._ended(connection, Ending.REVOKED)

    def _user_changed(self, change: changes.UserChanged) -> None:
        self._context.identities.user_changed(change.user)
        if change.user.banned or change.user.deleted:
            for connection in list(self._context.connections.of(change.user.id)):
                self._ended(connection, Ending.REVOKED)

    def _tell_added(self, user_ids: Collection[int], chat_id: int) -> None:
        self._tell_users(user_ids, events.chat_added(chat_id, self._at))
        for user_id in user_ids:
            self._context.subscriptions.added(user_id, chat_id)

    def _tell_changed(self, chat: OpenChat | None) -> None:
        """Tells all members' connections. Who changes a chat has it in memory: its handler looked for membership."""
        if chat is not None:
            self._tell_users(chat.members, events.chat_changed(chat.snapshot(), self._at))

    def _tell_users(self, user_ids: Any, event: Event) -> None:
        connections = self._context.connections
        ids = [connection_id for user_id in user_ids for connection_id in connections.ids_of(user_id)]
        if ids:
            name, payload = event
            self._context.hub.emit_once(name, payload, rooms=ids)


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
