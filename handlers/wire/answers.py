"""What commands answer. Each command names its answer, so that documents can be made from the list of commands.

Nothing is checked against these types while the server runs: `tests/handlers/test_answers.py` checks real answers.
"""

from typing import Literal, NotRequired, TypedDict

from handlers.wire.hook_views import HookObject
from handlers.wire.invite_views import InviteObject
from handlers.wire.moderation_views import AuditEntryObject, BanObject
from handlers.wire.views import (
    AdminUserObject,
    ChatObject,
    Count,
    Id,
    MemberObject,
    MessageObject,
    RegisteredObject,
    SessionObject,
    SummaryObject,
    Time,
    UserObject,
    VersionObject,
)


class Nothing(TypedDict):
    """The command has been done, and there is no more to say."""


class UserAnswer(TypedDict):
    user: UserObject


class RegisteredAnswer(TypedDict):
    user: RegisteredObject


class UsersAnswer(TypedDict):
    """A page; `next_cursor` is null on the last one."""

    users: list[UserObject]
    next_cursor: str | None


class SessionsAnswer(TypedDict):
    sessions: list[SessionObject]


class AdminUserAnswer(TypedDict):
    user: AdminUserObject


class CreatedUserAnswer(AdminUserAnswer):
    """`password` is there if it was made up; it is stored nowhere."""

    password: NotRequired[str]


class AdminUsersAnswer(TypedDict):
    """A page; `next_cursor` is null on the last one."""

    users: list[AdminUserObject]
    next_cursor: str | None


class PasswordAnswer(TypedDict):
    """A password that was made up; it is stored nowhere."""

    password: str


class StatsAnswer(TypedDict):
    """`connections` are those of all nodes. `disk_free_bytes` is of the disk with `DATA_DIR`. New accounts join
    the chat with `default_chat_id`."""

    users: Count
    chats: Count
    messages: Count
    connections: Count
    nodes: Count
    uploads_bytes: Count
    database_bytes: Count
    disk_free_bytes: Count
    version: str
    started_at: Time
    default_chat_id: Id | None


class TokensAnswer(TypedDict):
    """`expires_in`: seconds for which the access token is good."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: Count
    user: UserObject


class BotAnswer(TypedDict):
    bot: UserObject


class BotsAnswer(TypedDict):
    bots: list[UserObject]


class BotTokenAnswer(TypedDict):
    """The token is answered once, and stored nowhere."""

    token: str


class CreatedBotAnswer(BotAnswer, BotTokenAnswer):
    pass


class ConnectionTokenAnswer(TypedDict):
    """`token_expires_in`: seconds for which the connection's token is good, null for one that does not expire."""

    token_expires_in: Count | None


class ChatAnswer(TypedDict):
    chat: SummaryObject


class CreatedChatAnswer(ChatAnswer):
    """`created` is false for a private chat that was there already."""

    created: bool


class ChatsAnswer(TypedDict):
    """A page; `next_cursor` is null on the last one."""

    chats: list[SummaryObject]
    next_cursor: str | None


class JoinedAnswer(TypedDict):
    """The next event of the chat has the number `head_seq` + 1. `replayed` counts the frames that were sent before this
    answer. `gap`: they are not all, and the client has to load history."""

    chat_id: Id
    head_seq: Count
    replayed: Count
    gap: bool


class LeftAnswer(TypedDict):
    chat_id: Id


class PublicChatsAnswer(TypedDict):
    """A page; `next_cursor` is null on the last one. It may have fewer chats than asked for."""

    chats: list[ChatObject]
    next_cursor: str | None


class InviteAnswer(TypedDict):
    invite: InviteObject


class InvitesAnswer(TypedDict):
    """A page; `next_cursor` is null on the last one."""

    invites: list[InviteObject]
    next_cursor: str | None


class HookAnswer(TypedDict):
    hook: HookObject


class HooksAnswer(TypedDict):
    """All hooks of a chat, in the order of their making."""

    hooks: list[HookObject]


class MemberAnswer(TypedDict):
    member: MemberObject


class MembersAnswer(TypedDict):
    """A page; `next_cursor` is null on the last one."""

    members: list[MemberObject]
    next_cursor: str | None


class BanAnswer(TypedDict):
    """`created` is false for a user who was banned already: then it is the earlier ban."""

    ban: BanObject
    created: bool


class BansAnswer(TypedDict):
    """A page; `next_cursor` is null on the last one."""

    bans: list[BanObject]
    next_cursor: str | None


class AuditAnswer(TypedDict):
    """A page, newest entry first; `next_cursor` is null on the last one."""

    entries: list[AuditEntryObject]
    next_cursor: str | None


class MessageAnswer(TypedDict):
    message: MessageObject


class SentAnswer(MessageAnswer):
    """`duplicate`: the message was stored by an earlier request with the same `client_id`."""

    seq: Id
    duplicate: bool


class EditedAnswer(MessageAnswer):
    """`seq` is the number of the edit, or of the last change if the edit changed nothing."""

    seq: Id


class DeletedAnswer(TypedDict):
    """`seq` is the number of the deletion."""

    chat_id: Id
    message_id: Id
    seq: Id


class ReactedAnswer(MessageAnswer):
    """`seq` is the number of the change, or of the message's last change if the command changed nothing."""

    seq: Id


class PinnedAnswer(MessageAnswer):
    """`seq` is the number of the change, or of the message's last change if the command changed nothing."""

    seq: Id


class PinsAnswer(TypedDict):
    """A page, the message that was pinned last first; `next_cursor` is null on the last one."""

    messages: list[MessageObject]
    next_cursor: str | None


class VersionsAnswer(TypedDict):
    """The versions of a message, oldest first, the present one last: the first and the newest 100."""

    versions: list[VersionObject]


class HistoryAnswer(TypedDict):
    """A page, oldest message first. `head_seq` was read before the page."""

    messages: list[MessageObject]
    has_more_before: bool
    has_more_after: bool
    head_seq: Count


class FoundAnswer(TypedDict):
    """A page, newest message first; `next_cursor` is null on the last one. It may have fewer messages than asked
    for."""

    messages: list[MessageObject]
    next_cursor: str | None


class LinksAnswer(TypedDict):
    """Paths from the root; `thumbnail_url` is there for pictures that have a thumbnail."""

    url: str
    thumbnail_url: NotRequired[str]


class ReadAnswer(TypedDict):
    """Where the caller's read mark is now; `up_to` is null in a chat without messages."""

    chat_id: Id
    up_to: Id | None
    read_seq: Count
    unread_count: Count
    unread_mentions: Count
