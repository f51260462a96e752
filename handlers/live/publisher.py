"""Publishes committed changes: brings memory up to date and sends clients their events."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from types import MethodType
from typing import Any, TypeVar

from domain import changes
from domain.changes import Change, ChangeKind, MessageChange, UndeclaredChange
from domain.decisions.accounts import ended
from domain.file_changes import ChatAvatarChanged, FilesRemoved
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import user_of
from domain.invites import InviteMade, InviteRemoved
from domain.models import Chat
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.own_settings import OwnSettingsChanged
from domain.private_chats import ChatOpened, MemberBlocked, sees
from handlers.context import Context
from handlers.live.connections import Connection, leave_room
from handlers.live.hub import Blobs
from handlers.live.loaded_chat import room_of
from handlers.live.member_events import MemberEvents
from handlers.live.presence_record import choice_of
from handlers.live.settings_events import SettingsEvents
from handlers.live.spreader import Spreader
from handlers.live.stream_endings import StreamEndings
from handlers.wire import events
from handlers.wire.endings import Ending
from handlers.wire.events import ROOM_EVENTS, EventOf

ChangeT = TypeVar("ChangeT", bound=Change)

Method = Callable[["Publisher", ChangeT], None]

_METHODS: dict[type[Change], Method[Any]] = {}


def _publishes(*kinds: type[ChangeT]) -> Callable[[Method[ChangeT]], Method[ChangeT]]:
    """Declares a method of `Publisher` as the one that publishes changes of some kinds."""

    def declare(method: Method[ChangeT]) -> Method[ChangeT]:
        _METHODS.update(dict.fromkeys(kinds, method))
        return method

    return declare


class Publisher:
    """Publishes each committed change: the subscriber of the store that clients hear of changes from.

    A kind of change is published by the method that is declared with `_publishes`. A kind without such a method has a
    `room_event`, which the room of the chat gets. `ended` is called with each connection that a change ends.

    Raises: `UndeclaredChange` for a kind that has neither a method nor an event.
    """

    def __init__(
        self,
        context: Context,
        ended: Callable[[Connection, Ending], None],
        spreader: Spreader | None = None,
    ) -> None:
        """`spreader`: how other nodes hear of messages at once; None without a bus."""
        self._context = context
        self._spreader = spreader
        self._ended = ended
        self._members = MemberEvents(context)
        self._settings = SettingsEvents(context)
        self._end_streams = StreamEndings(context.streams, context.directory)
        self._at = context.clock.now()
        """The timestamp of the events of the current batch."""
        self._publish = {kind.value: self._function_for(kind) for kind in changes.kinds()}

    def __call__(self, published: Sequence[Change]) -> None:
        self._at = self._context.clock.now()
        self._end_streams(published)
        # Chat by chat, so that the events of one room are joined into one write for each member; the order within
        # a chat stays, and between chats there is none.
        publish = self._publish
        for change in sorted(published, key=_CHAT_ID):
            publish[type(change)](change)

    def stop(self) -> None:
        """Ends the timers, and gives up what waits for the store."""
        self._members.stop()
        self._settings.stop()

    def _function_for(self, kind: ChangeKind) -> Callable[[Any], None]:
        method, event_of = _METHODS.get(kind.value), ROOM_EVENTS.get(kind.value)
        if method is not None:
            return MethodType(method, self)
        if event_of is None:
            raise UndeclaredChange(
                f"no client hears of the change kind {kind.name!r} ({kind.value.__name__}): declare its event with "
                "@room_event in handlers/wire/events.py, or a method with @_publishes in handlers/live/publisher.py"
            )
        return partial(self._message_changed if kind.takes_seq else self._to_room, event_of)

    def _message_changed(self, event_of: EventOf[Any], change: MessageChange) -> None:
        """Publishes the event of a change of a message to the room, and notes that `chat_updated` is due to the members
        who have not joined."""
        context, message = self._context, change.message
        chat_id = message.chat_id
        context.directory.published(chat_id, message.changed_seq)
        name, payload = event_of(change, self._at, self._context.links)
        spreader, room = self._spreader, room_of(chat_id)
        if spreader is None or not spreader.emit(change, name, payload, room):
            context.hub.emit(name, payload, room=room)
        context.updates.changed(chat_id)

    def hand_out(self, chat_id: int, seq: int, sender_id: int, blobs: Blobs, *, new: bool) -> None:
        """Publishes a change of a message that another node has published, by the bytes of its event. `new`: it is a
        new message."""
        context = self._context
        if new:
            context.typing.stop(chat_id, sender_id)
            context.streams.settle_encoded(chat_id, sender_id, blobs)
            if seq == 1:
                self._members.first_message(chat_id)
        context.directory.published(chat_id, seq)
        context.hub.emit_blobs(blobs, room=room_of(chat_id))
        context.updates.changed(chat_id)

    def _to_room(self, event_of: EventOf[Any], change: Any) -> None:
        """Publishes the event of another change of a chat to the room."""
        name, payload = event_of(change, self._at, self._context.links)
        self._context.hub.emit(name, payload, room=room_of(change.chat_id))

    @_publishes(changes.MessageCreated)
    def _message_created(self, change: changes.MessageCreated) -> None:
        """Publishes `new_message`, after the sender's typing has ended."""
        message = change.message
        self._context.typing.stop(message.chat_id, message.sender_id)
        if message.seq == 1:
            self._members.first_message(message.chat_id)
        self._message_changed(events.new_message, change)

    @_publishes(changes.ReadMoved)
    def _read_moved(self, change: changes.ReadMoved) -> None:
        """Publishes `messages_read` to the room, and notes that `chat_updated` is due to the reader's connections that
        have not joined."""
        self._to_room(events.messages_read, change)
        self._context.updates.read(change.chat_id, change.user_id)

    @_publishes(changes.ChatCreated)
    def _chat_created(self, change: changes.ChatCreated) -> None:
        """Publishes `chat_added` to the members who see the chat. A chat of which no member is connected here need not
        be in memory: another node may have created it."""
        state = change.state
        needed = self._context.connections.any_of(state.members)
        self._context.directory.created(state, needed=needed)
        seen_by = [user_id for user_id, member in state.members.items() if sees(state.chat, member)]
        self._members.added(change.chat_id, seen_by)

    @_publishes(ChatOpened)
    def _chat_opened(self, change: ChatOpened) -> None:
        """Publishes `chat_added` to the member who has asked for a private chat."""
        self._context.directory.seen_by_both(change.chat_id)
        chat = self._context.directory.peek(change.chat_id)
        if chat is not None:
            self._members.show_presence(chat)
        self._members.added(change.chat_id, (change.user_id,))

    @_publishes(MemberBlocked)
    def _member_blocked(self, change: MemberBlocked) -> None:
        """Ends the typing of a member whom the other one of a private chat has blocked. Nobody is told of a block."""
        context, chat_id, user_id = self._context, change.chat_id, change.user_id
        context.directory.blocked(chat_id, user_id, blocked=change.blocked)
        if change.blocked:
            context.typing.stop(chat_id, user_id)

    @_publishes(OwnSettingsChanged)
    def _own_settings_changed(self, change: OwnSettingsChanged) -> None:
        """Publishes `chat_settings` to the own connections of the member."""
        self._settings.changed(change.chat_id, change.member)

    @_publishes(changes.ChatRenamed)
    def _chat_renamed(self, change: changes.ChatRenamed) -> None:
        """Publishes `chat_changed` to the members."""
        self._chat_set(change.chat)

    @_publishes(changes.ChatSettingsChanged)
    def _settings_changed(self, change: changes.ChatSettingsChanged) -> None:
        """Publishes `chat_changed` to the members."""
        self._chat_set(change.chat)

    def _chat_set(self, chat: Chat) -> None:
        self._context.directory.chat_set(chat)
        self._members.changed(chat.id)

    @_publishes(ChatAvatarChanged)
    def _avatar_changed(self, change: ChatAvatarChanged) -> None:
        """Publishes `chat_changed` to the members."""
        self._chat_set(change.chat)

    @_publishes(FilesRemoved, InviteMade, InviteRemoved, UserUnbanned, HookAdded)
    def _unpublished(self, _change: Change) -> None:
        """Publishes nothing: clients hear of what files were part of, and who manages the others asks for the list."""

    @_publishes(HookChanged)
    def _hook_changed(self, change: HookChanged) -> None:
        """Publishes `user_changed` to the members if the hook has another name."""
        if "name" in change.changed:
            self._members.hook_user_changed(change.chat_id, user_of(change.hook))

    @_publishes(HookRemoved)
    def _hook_removed(self, change: HookRemoved) -> None:
        """Publishes `user_changed` to the members: the user of the hook has ended."""
        self._members.hook_user_changed(change.chat_id, ended(user_of(change.hook)))

    @_publishes(changes.ChatDeleted)
    def _chat_deleted(self, change: changes.ChatDeleted) -> None:
        """Empties the room and publishes `chat_removed` to the former members."""
        chat = self._context.directory.peek(change.chat_id)
        if chat is not None:
            for connection in list(chat.joined.values()):
                leave_room(self._context.hub, connection, chat.id)
        self._context.directory.deleted(change.chat_id)
        if change.unseen_by is None:
            self._context.announcer.dissolved(change.member_ids)
        self._members.deleted(change)

    @_publishes(changes.MemberAdded)
    def _member_added(self, change: changes.MemberAdded) -> None:
        """Publishes `chat_added` to the new member and `chat_changed` to all members."""
        self._context.directory.member_set(change.chat_id, change.member)
        self._members.added(change.chat_id, (change.member.user_id,))
        self._members.members_changed(change.chat_id)

    @_publishes(changes.MemberRemoved)
    def _member_removed(self, change: changes.MemberRemoved) -> None:
        """Takes the former member out of the room, and publishes `chat_removed` to them and `chat_changed` to the other
        members."""
        if change.heir is not None:
            self._context.directory.member_set(change.chat_id, change.heir)
        self._member_gone(change)

    @_publishes(UserBanned)
    def _user_banned(self, change: UserBanned) -> None:
        """Does what the removal of a member does, if the user was one."""
        if change.was_member:
            self._member_gone(change)

    def _member_gone(self, change: changes.MemberRemoved | UserBanned) -> None:
        """The former member leaves the room before anything is published."""
        context, chat_id, user_id = self._context, change.chat_id, change.user_id
        context.directory.member_gone(chat_id, user_id)
        context.typing.stop(chat_id, user_id)
        for connection in context.connections.of(user_id):
            leave_room(context.hub, connection, chat_id)
        context.announcer.left(user_id, chat_id)
        self._members.removed(change)
        self._members.members_changed(chat_id)

    @_publishes(changes.RoleChanged)
    def _role_changed(self, change: changes.RoleChanged) -> None:
        """Publishes `chat_changed` to the members."""
        if change.heir is not None:
            self._context.directory.member_set(change.chat_id, change.heir)
        self._context.directory.member_set(change.chat_id, change.member)
        self._members.changed(change.chat_id)

    @_publishes(MemberMuted)
    def _member_muted(self, change: MemberMuted) -> None:
        """Ends the typing of a member who is muted now, and publishes `chat_changed` to the members and
        `chat_settings` to the one who is concerned."""
        member = change.member
        self._context.directory.member_set(change.chat_id, member)
        if member.muted_until is not None:
            self._context.typing.stop(change.chat_id, member.user_id)
        self._members.changed(change.chat_id)
        self._settings.load(change.chat_id, member.user_id)

    @_publishes(changes.SessionsRevoked)
    def _sessions_revoked(self, change: changes.SessionsRevoked) -> None:
        """Ends the connections of the sessions."""
        for session_id in change.session_ids:
            self._context.identities.session_revoked(session_id)
        for connection in list(self._context.connections.of(change.user_id)):
            if connection.session_id in change.session_ids:
                self._ended(connection, Ending.REVOKED)

    @_publishes(changes.UserChanged)
    def _user_changed(self, change: changes.UserChanged) -> None:
        """Publishes `user_changed` to those who know the user, if the change shows, or to the user's own connections.
        Ends the connections of an account that is no longer active."""
        self._context.identities.user_changed(change.user)
        self._context.presence.chosen(change.user.id, choice_of(change.user))
        if change.shown:
            self._context.announcer.user_changed(change.user)
        elif change.own:
            self._context.announcer.own_changed(change.user)
        if not change.user.active:
            for connection in list(self._context.connections.of(change.user.id)):
                self._ended(connection, Ending.REVOKED)


_CHAT_ID = attrgetter("chat_id")
