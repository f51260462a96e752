"""What a store tells its observer after a commit: one value for each durable change, in the order they were made."""

from collections.abc import Callable, Sequence
from dataclasses import field

from domain.frozen import frozen
from domain.models import Chat, ChatState, ChatType, Member, Message, User


@frozen
class MessageCreated:
    """`message.seq` is the number of this change."""

    message: Message


@frozen
class MessageEdited:
    """`message.changed_seq` is the number of this change."""

    message: Message


@frozen
class MessageDeleted:
    """`message` is the tombstone; its `changed_seq` is the number of this change."""

    message: Message


@frozen
class ReadMoved:
    """A member's mark moved forward, to the message `up_to` at position `read_seq`."""

    chat_id: int
    user_id: int
    up_to: int
    read_seq: int


@frozen
class ChatCreated:
    state: ChatState


@frozen
class ChatRenamed:
    chat: Chat


@frozen
class ChatDeleted:
    """The chat, its members and its messages are gone. `member_ids` are those who were in it.

    `left_id` is the member whose leaving ended the chat, None if it was deleted. `name` and `chat_type` are what the
    chat was: nobody can look that up any more.
    """

    chat_id: int
    member_ids: Sequence[int]
    name: str | None = field(default=None, compare=False)
    chat_type: ChatType = field(default="group", compare=False)
    left_id: int | None = field(default=None, compare=False)


@frozen
class MemberAdded:
    chat_id: int
    member: Member


@frozen
class MemberRemoved:
    """`heir` is the member who became owner because the last owner left, as they are now; else None.

    `actor_id` is the user who removed the member, the member themselves if they left; None if that is not known.
    `name` is that of the chat.
    """

    chat_id: int
    user_id: int
    heir: Member | None = None
    actor_id: int | None = field(default=None, compare=False)
    name: str | None = field(default=None, compare=False)


@frozen
class RoleChanged:
    """`heir` is the member who became owner because the account of the last owner is no longer active, `member` then
    being that former owner; else None."""

    chat_id: int
    member: Member
    heir: Member | None = None


@frozen
class SessionsRevoked:
    """Sessions of one user that ended: logout, a password change elsewhere, a refresh token used twice."""

    user_id: int
    session_ids: Sequence[str]


@frozen
class UserChanged:
    """Something of a user, as they are now, is no longer what it was: name, password, last seen, banned, deleted.

    `shown`: others see it, so they are to be told: the display name, or whether the account is active.
    """

    user: User
    shown: bool = field(default=False, compare=False)


MessageChange = MessageCreated | MessageEdited | MessageDeleted
Change = (
    MessageChange
    | ReadMoved
    | ChatCreated
    | ChatRenamed
    | ChatDeleted
    | MemberAdded
    | MemberRemoved
    | RoleChanged
    | SessionsRevoked
    | UserChanged
)

Observer = Callable[[Sequence[Change]], None]
"""Called on the event loop after a batch is on disk and before anybody who waits for it resumes. It must not
suspend and must not raise. Message changes of a chat come in `seq` order without a hole."""
