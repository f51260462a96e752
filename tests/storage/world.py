"""A store with a subscriber, and short words for what tests do with it all the time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from domain.changes import Change, MessageChange
from domain.models import Chat, ChatType, Draft, Message
from storage.ports import Store

START = datetime(2025, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class World:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.published: list[Change] = []
        store.subscribe(self.published.extend)
        self._names = (f"user{number}" for number in count(1))

    async def user(self, username: str | None = None, **more: object) -> int:
        fields = {
            "display_name": "Somebody",
            "email": None,
            "password_hash": "hash",
            "created_at": START,
        } | more
        return (await self.store.users.create(username=username or next(self._names), **fields)).id

    async def users(self, number: int) -> list[int]:
        return [await self.user() for _ in range(number)]

    async def chat(
        self,
        *user_ids: int,
        chat_type: ChatType = "group",
        name: str | None = "Lobby",
        created: datetime = START,
    ) -> int:
        """Of these users, the first being the owner."""
        return (await self.make_chat(*user_ids, chat_type=chat_type, name=name, created=created))[0].id

    async def make_chat(
        self,
        *user_ids: int,
        chat_type: ChatType = "group",
        name: str | None = "Lobby",
        created: datetime = START,
    ) -> tuple[Chat, bool]:
        return await self.store.chats.create(
            name=name, chat_type=chat_type, owner_id=user_ids[0], member_ids=user_ids[1:], created_at=created
        )

    async def send(self, chat_id: int, sender_id: int, content: str = "hello", **more: object) -> Message:
        return (await self.store.messages.append(draft(chat_id, sender_id, content, **more))).message

    async def head(self, chat_id: int) -> int:
        state = await self.store.chats.load(chat_id)
        assert state is not None
        return state.chat.head_seq

    async def everything(self, chat_id: int) -> Sequence[Message]:
        return await self.store.messages.changed_since(chat_id, 0, limit=100_000)

    def message_changes(self, chat_id: int) -> list[Message]:
        """The published states of the chat's messages, in the order in which they were published."""
        return [
            change.message
            for change in self.published
            if isinstance(change, MessageChange) and change.message.chat_id == chat_id
        ]

    async def check_published(self, chat_id: int) -> None:
        """All that is stored was published, in order and without a hole, and the last of it is what is stored."""
        published = self.message_changes(chat_id)
        assert [message.changed_seq for message in published] == list(range(1, len(published) + 1))
        assert await self.head(chat_id) == len(published)
        last = {message.id: message for message in published}
        assert {message.id: message for message in await self.everything(chat_id)} == last


def draft(chat_id: int, sender_id: int, content: str = "hello", **more: object) -> Draft:
    return Draft(chat_id, sender_id, content, **({"created_at": START} | more))
