"""The state of a few chats as a dictionary, for decisions to be made on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.files import Upload
from domain.hooks import Hook
from domain.invites import Invite
from domain.models import Account, Actor, Ban, Chat, ChatType, Member, Message, Role
from domain.private_chats import sees
from domain.refusals import NotFound

START = datetime(2025, 11, 23, 10, tzinfo=UTC)
CHAT, OTHER_CHAT, NO_CHAT = 1, 2, 99
OWNER, ADMIN, MEMBER, STRANGER, NOBODY = 11, 12, 13, 14, 99


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class FakeView:
    """See `domain.decisions.view.ChatView`. Everybody but `NOBODY` has an account; members join in the order in which
    they are added."""

    def __init__(self) -> None:
        self.accounts_by_id = {user_id: Account(user_id) for user_id in (OWNER, ADMIN, MEMBER, STRANGER)}
        self.usernames = {OWNER: "anna", ADMIN: "boris", MEMBER: "carl", STRANGER: "dora"}
        """In lower case."""
        self.chats: dict[int, Chat] = {}
        self.members: dict[int, dict[int, Member]] = {}
        self.messages: dict[int, Message] = {}
        self.bans: dict[tuple[int, int], Ban] = {}
        self.sent_at: dict[tuple[int, int], datetime] = {}
        self.earlier_mutes: dict[tuple[int, int], datetime] = {}
        self.invites_by_code: dict[str, Invite] = {}
        self.looked_at: list[int] = []
        """Whose accounts were handed out by `accounts_by_role`."""
        self.blocks: set[tuple[int, int]] = set()
        """Who has blocked whom."""
        self.uploads_by_id: dict[str, Upload] = {}
        self.hooks_by_id: dict[int, Hook] = {}
        self.stopped: set[int] = set()
        """The hooks whose delivery the server has given up."""

    def add_chat(self, chat_id: int, chat_type: ChatType = "group") -> None:
        self.chats[chat_id] = Chat(chat_id, "Lunch", chat_type, START, OWNER, 0, 0)
        self.members[chat_id] = {}

    def add_member(self, chat_id: int, user_id: int, role: Role, **more: Any) -> Member:
        members = self.members[chat_id]
        self.accounts_by_id.setdefault(user_id, Account(user_id))
        member = members[user_id] = Member(user_id, role, at(len(members)), **more)
        self.chats[chat_id] = replace(self.chats[chat_id], member_count=len(members))
        return member

    def add_message(self, chat_id: int, sender_id: int, **more: object) -> Message:
        """Its content is "hello"; it is deleted with `deleted=True`."""
        seq = self.next_seq(chat_id)
        fields = {"content": "hello", "changed_seq": seq, "created_at": START} | more
        message = Message(id=self.next_message_id(), chat_id=chat_id, seq=seq, sender_id=sender_id, **fields)  # type: ignore[arg-type]
        self.messages[message.id] = message
        return message

    def set_account(
        self,
        user_id: int,
        *,
        is_bot: bool = False,
        banned: bool = False,
        deleted: bool = False,
        is_hook: bool = False,
    ) -> None:
        self.accounts_by_id[user_id] = Account(user_id, is_bot, banned, deleted, is_hook)

    def actor(self, chat_id: int, user_id: int) -> Actor:
        member = self.member(chat_id, user_id)
        if member is None:
            raise NotFound(f"chat {chat_id}")
        chat = self.chat(chat_id)
        if not sees(chat, member):
            raise NotFound(f"chat {chat_id}")
        return Actor(
            user_id, member.role, chat.chat_type, member.muted_until, member.blocked, chat.slow_mode_s
        )

    def message(self, message_id: int) -> Message | None:
        return self.messages.get(message_id)

    def first_use(self, sender_id: int, client_id: str) -> Message | None:
        found = (m for m in self.messages.values() if (m.sender_id, m.client_id) == (sender_id, client_id))
        return next(found, None)

    def last_sent(self, chat_id: int, user_id: int) -> datetime | None:
        return self.sent_at.get((chat_id, user_id))

    def uploads(self, upload_ids: Collection[str]) -> Mapping[str, Upload]:
        return {one: self.uploads_by_id[one] for one in upload_ids if one in self.uploads_by_id}

    def hook(self, hook_id: int) -> Hook | None:
        return self.hooks_by_id.get(hook_id)

    def hooks(self, chat_id: int) -> Sequence[Hook]:
        return [hook for hook in self.hooks_by_id.values() if hook.chat_id == chat_id]

    def is_stopped(self, hook_id: int) -> bool:
        return hook_id in self.stopped

    def pin_count(self, chat_id: int) -> int:
        return sum(one.chat_id == chat_id and one.pinned for one in self.messages.values())

    def members_named(self, chat_id: int, usernames: Collection[str]) -> Mapping[str, int]:
        ids = {name: user_id for user_id, name in self.usernames.items() if user_id in self.members[chat_id]}
        return {name: ids[name] for name in usernames if name in ids}

    def member_count(self, chat_id: int) -> int:
        return self.chats[chat_id].member_count

    def next_seq(self, chat_id: int) -> int:
        return max((m.changed_seq for m in self.messages.values() if m.chat_id == chat_id), default=0) + 1

    def next_message_id(self) -> int:
        return 1000 + len(self.messages)

    def member(self, chat_id: int, user_id: int) -> Member | None:
        return self.members.get(chat_id, {}).get(user_id)

    def newest(self, chat_id: int) -> Message | None:
        alive = [m for m in self.messages.values() if m.chat_id == chat_id and not m.deleted]
        return max(alive, key=lambda message: message.seq, default=None)

    def chat(self, chat_id: int) -> Chat:
        return replace(self.chats[chat_id], head_seq=self.head_seq(chat_id))

    def head_seq(self, chat_id: int) -> int:
        return self.next_seq(chat_id) - 1

    def has_written(self, chat_id: int, user_id: int) -> bool:
        return any((m.chat_id, m.sender_id) == (chat_id, user_id) for m in self.messages.values())

    def blockers_of(self, user_id: int, among: Collection[int]) -> Collection[int]:
        return {one for one in among if (one, user_id) in self.blocks}

    def find_chat(self, chat_id: int) -> Chat | None:
        return self.chat(chat_id) if chat_id in self.chats else None

    def invite(self, code: str) -> Invite | None:
        return self.invites_by_code.get(code)

    def invites(self, chat_id: int) -> Sequence[Invite]:
        return [
            invite
            for invite in self.invites_by_code.values()
            if invite.chat_id == chat_id and not invite.ended
        ]

    def private_chat(self, user_ids: Sequence[int]) -> Chat | None:
        for chat_id, chat in self.chats.items():
            if chat.chat_type == "private" and sorted(self.members[chat_id]) == list(user_ids):
                return self.chat(chat_id)
        return None

    def next_chat_id(self) -> int:
        return 100

    def ban(self, chat_id: int, user_id: int) -> Ban | None:
        return self.bans.get((chat_id, user_id))

    def earlier_mute(self, chat_id: int, user_id: int) -> datetime | None:
        return self.earlier_mutes.get((chat_id, user_id))

    def member_ids(self, chat_id: int) -> Sequence[int]:
        return sorted(self.members[chat_id])

    def accounts_by_role(self, chat_id: int, role: Role) -> Iterator[Account]:
        members = sorted(
            self.members[chat_id].values(), key=lambda member: (member.joined_at, member.user_id)
        )
        for member in members:
            if member.role == role:
                self.looked_at.append(member.user_id)
                yield self.accounts_by_id[member.user_id]

    def accounts(self, user_ids: Collection[int]) -> Mapping[int, Account]:
        return {one: self.accounts_by_id[one] for one in user_ids if one in self.accounts_by_id}


def view_of(chat_type: ChatType = "group") -> FakeView:
    """A chat of an owner, an admin and a member; and a group of the same without a message. A private chat has no
    admin, and both see it."""
    view = FakeView()
    for chat_id, kind in ((CHAT, chat_type), (OTHER_CHAT, "group")):
        view.add_chat(chat_id, kind)  # type: ignore[arg-type]
        view.add_member(chat_id, OWNER, "owner")
        if kind != "private":
            view.add_member(chat_id, ADMIN, "admin")
        view.add_member(chat_id, MEMBER, "member", opened=kind == "private")
    return view
