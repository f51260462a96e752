"""What events carry: the type of each payload, which documents can read. `handlers.wire.events` makes the payloads.

Nothing is checked against these types while the server runs: the clients of the tests check every event they get.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from domain.models import Notifications
from handlers.wire.errors import Code
from handlers.wire.events import EventName, RemovalReason
from handlers.wire.views import ChatObject, Count, Id, MessageObject, Time, UserObject


class Timed(TypedDict):
    timestamp: Time


class ConnectionLimits(TypedDict):
    """The limits that a client has to know; 0 for `messages_per_s`: there is none."""

    max_frame_bytes: Count
    max_content_chars: Count
    messages_per_s: float


class Connected(Timed):
    """The first event of every connection. `epoch` is another one after every restore of a backup. `session_id` names
    the connection and opens nothing. `token_expires_in` is in seconds; null for a token that does not expire."""

    user_id: Id
    protocol: Literal[1]
    epoch: str
    session_id: str
    token_expires_in: int | None
    limits: ConnectionLimits


class Pong(Timed):
    """Answers `ping`."""


class NewMessage(Timed):
    """A message was created, or is replayed to a connection that has not seen it. The room gets it."""

    chat_id: Id
    message: MessageObject
    seq: Id


class MessageUpdated(Timed):
    """A message was edited, or has changed in any way before a replay: only `edited_at` means edited. The room gets
    it."""

    chat_id: Id
    message_id: Id
    content: str
    edited_at: Time | None
    message: MessageObject
    seq: Id


class MessageDeleted(Timed):
    """A message was deleted. The room gets it."""

    chat_id: Id
    message_id: Id
    seq: Id


class ReactionAdded(Timed):
    """A user has reacted to a message. The room gets it."""

    chat_id: Id
    message_id: Id
    user_id: Id
    emoji: str
    seq: Id


class ReactionRemoved(Timed):
    """A user has taken their reaction away. The room gets it."""

    chat_id: Id
    message_id: Id
    user_id: Id
    emoji: str
    seq: Id


class MessagePinned(Timed):
    """A user has pinned a message. The room gets it."""

    chat_id: Id
    message_id: Id
    user_id: Id
    seq: Id


class MessageUnpinned(Timed):
    """A user has ended the pin of a message. The room gets it."""

    chat_id: Id
    message_id: Id
    user_id: Id
    seq: Id


class MessagesRead(Timed):
    """A member's read mark has moved to the message `up_to`, whose position is `read_seq`. The room gets it."""

    chat_id: Id
    user_id: Id
    up_to: Id | None
    read_seq: Count


class Typing(Timed):
    """A member types, or no longer does. The room gets it, but for the connections of that member."""

    chat_id: Id
    user_id: Id
    is_typing: bool


class MessageStream(Timed):
    """What a member is writing, all of it so far; null: the stream has ended without a message. The room gets it, at
    most every 200 ms for each stream. A stream also ends with the message whose `client_id` is its `stream_id`."""

    chat_id: Id
    user_id: Id
    stream_id: str
    content: str | None


class UserStatus(Timed):
    """The status of a user as others see it. Connections get it that have joined a chat of at most 100 members to which
    the user belongs."""

    user_id: Id
    status: Literal["online", "away", "busy"]


class UserOffline(Timed):
    """A user is not there, or wishes to appear so. The same connections get it as `user_status`."""

    user_id: Id


class ChatAdded(Timed):
    """The user has become a member of a chat: all connections of the user get it. The next event of its room has the
    number `head_seq` + 1."""

    chat_id: Id
    head_seq: Count


class ChatRemoved(Timed):
    """The user is no longer a member of a chat: all connections of the user get it. `name` is the name that the chat
    had for them, null if it is not known."""

    chat_id: Id
    reason: RemovalReason
    name: str | None


class ChatChanged(Timed):
    """The name, avatar, settings or members of a chat have changed: all connections of all members get it."""

    chat_id: Id
    chat: ChatObject


class ChatUpdated(Timed):
    """One of these fields has changed. Connections of members get it that have not joined the chat, at most once a
    second for each chat, and the last state always."""

    chat_id: Id
    last_message: MessageObject | None
    unread_count: Count
    unread_mentions: Count
    read_seq: Count
    head_seq: Count


class ChatSettings(Timed):
    """What the user has set in a chat, or the end of their mute there, has changed: their own connections get it."""

    chat_id: Id
    notifications: Notifications
    favorite: bool
    hidden: bool
    marked_unread: bool
    muted_until: Time | None


class UserChanged(Timed):
    """The name or avatar of a user has changed, or whether the account is active. Connections get it of users who
    share a chat with that user; the user's own connections also when `presence` or `is_admin` has changed."""

    user_id: Id
    user: UserObject


class TokenExpiring(Timed):
    """The token of the connection ends in so many seconds: send a newer one with `refresh_token`."""

    expires_in: int


class Error(TypedDict):
    """A command has failed to which no answer was asked for. `fields` says what is wrong with each field."""

    code: Code
    message: str
    retryable: bool
    retry_after_ms: NotRequired[Id]
    fields: NotRequired[dict[str, str]]


class Closing(TypedDict):
    """The last event of a Socket.IO connection that the server ends, with the close code of the raw gate."""

    code: int
    reason: str
    retry_in_ms: NotRequired[Count]


PAYLOADS: Mapping[EventName, type[Any]] = {
    "connected": Connected,
    "pong": Pong,
    "new_message": NewMessage,
    "message_updated": MessageUpdated,
    "message_deleted": MessageDeleted,
    "reaction_added": ReactionAdded,
    "reaction_removed": ReactionRemoved,
    "message_pinned": MessagePinned,
    "message_unpinned": MessageUnpinned,
    "messages_read": MessagesRead,
    "typing": Typing,
    "message_stream": MessageStream,
    "user_status": UserStatus,
    "user_offline": UserOffline,
    "chat_added": ChatAdded,
    "chat_removed": ChatRemoved,
    "chat_changed": ChatChanged,
    "chat_updated": ChatUpdated,
    "chat_settings": ChatSettings,
    "user_changed": UserChanged,
    "token_expiring": TokenExpiring,
    "error": Error,
    "closing": Closing,
}
"""By event, what it carries. The docstring of the type says when the event comes, and who gets it."""
