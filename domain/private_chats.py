"""Private chats of two users, of which the one who did not create it sees nothing before its first message."""

from collections.abc import Mapping

from domain.changes import Change, change
from domain.models import Chat, Member


def sees(chat: Chat, member: Member) -> bool:
    """Whether a member may know of the chat: a private one without any message is seen by its creator alone, and by
    the other member once they have asked for it themselves."""
    return chat.head_seq > 0 or chat.chat_type != "private" or _asked_for(chat, member)


def newcomer_of(chat: Chat, members: Mapping[int, Member]) -> int | None:
    """The member of a private chat who sees it from its first message on; None if both have asked for it, and for other
    chats."""
    if chat.chat_type != "private":
        return None
    return next((user_id for user_id, member in members.items() if not _asked_for(chat, member)), None)


def _asked_for(chat: Chat, member: Member) -> bool:
    return member.opened or member.user_id == chat.created_by


@change("asked_for", logged=True, since=2)
class ChatOpened(Change):
    """A member of a private chat without messages, which the other one created, has asked for it too: they see it from
    now on."""

    chat: Chat
    user_id: int

    @property
    def chat_id(self) -> int:
        return self.chat.id


@change("blocked", logged=True, since=2)
class MemberBlocked(Change):
    """The other member of a private chat has blocked this one, who may not write, or has lifted the block."""

    chat_id: int
    user_id: int
    blocked: bool
