"""The directory: the members of chats in memory, which chats stay, and in which a user has presence."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from domain.models import Chat, ChatState, Member
from handlers.live.connections import Connection
from handlers.live.directory import Directory
from handlers.policy import PRESENCE_MEMBERS_MAX
from handlers.wire.errors import ChatError
from storage.ports import Store

NOW = datetime(2025, 11, 23, tzinfo=UTC)


def state(chat_id: int, members: range) -> ChatState:
    chat = Chat(chat_id, "Room", "group", NOW, 1, 0, len(members))
    return ChatState(chat, {user_id: Member(user_id, "member", NOW) for user_id in members})


class Chats:
    """A store with chats of the users 1 to `members`."""

    def __init__(self, members: int = 3) -> None:
        self.members = members
        self.loads: list[int] = []
        self.followed = True
        self.unfollowed: list[int] = []

    async def load(self, chat_id: int) -> ChatState | None:
        self.loads.append(chat_id)
        return state(chat_id, range(1, self.members + 1)) if chat_id < 1_000_000 else None

    async def begin(self, chat_id: int) -> None: ...

    def follow(self, chat_id: int) -> None: ...

    def follows(self, chat_id: int) -> bool:
        return self.followed

    def unfollow(self, chat_id: int) -> None:
        self.unfollowed.append(chat_id)


def directory_over(chats: Chats) -> Directory:
    return Directory(cast(Store, type("Stored", (), {"chats": chats})))


def connection(name: str = "c") -> Connection:
    return Connection(name, 1, None, 0.0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.live.directory.CHATS_KEPT", 3)


@pytest.mark.usefixtures("few")
async def test_a_chat_that_is_used_stays() -> None:
    """Every message uses its chat."""
    chats = Chats()
    directory = directory_over(chats)
    for chat_id in (1, 2, 3):
        await directory.current(chat_id)
    for chat_id in (4, 5, 6, 7):
        await directory.for_member(1, 1)
        await directory.current(chat_id)
    assert directory.peek(1) is not None
    assert chats.loads == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.usefixtures("few")
async def test_a_chat_that_somebody_has_joined_stays_until_the_last_has_left() -> None:
    chats = Chats()
    directory = directory_over(chats)
    chat = await directory.for_member(1, 1)
    one, two = connection("one"), connection("two")
    chat.join(one)
    chat.join(one)
    chat.join(two)
    for chat_id in range(2, 9):
        await directory.current(chat_id)
    assert directory.peek(1) is chat
    chat.part(one)
    for chat_id in range(2, 9):
        await directory.current(chat_id)
    assert directory.peek(1) is chat
    chat.part(two)
    for chat_id in range(2, 9):
        await directory.current(chat_id)
    assert directory.peek(1) is None


async def test_a_chat_that_was_dropped_and_loaded_again_is_not_unpinned_by_the_old_one() -> None:
    directory = directory_over(Chats())
    old = await directory.for_member(1, 1)
    old.join(connection())
    directory.deleted(1)
    new = await directory.for_member(1, 1)
    new.join(connection())
    old.part(connection())
    assert 1 not in directory._chats._idle


async def test_a_chat_that_was_loaded_before_its_change_is_published_keeps_its_connections() -> None:
    directory = directory_over(Chats())
    chat = await directory.for_member(1, 1)
    chat.join(connection())
    directory.created(state(1, range(1, 4)), needed=True)
    assert directory.peek(1) is chat


async def test_memory_is_bounded_by_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.live.directory.CHATS_KEPT_BYTES", 1_000_000)
    for members, at_most in ((2, 800), (100, 64), (10_000, 64)):
        directory = directory_over(Chats(members))
        for chat_id in range(1, at_most + 40):
            await directory.current(chat_id)
        assert at_most / 2 < len(directory._chats) <= at_most


async def test_a_user_is_seen_in_the_small_chats_whatever_size_they_had() -> None:
    directory = directory_over(Chats(PRESENCE_MEMBERS_MAX - 1))
    chat = await directory.for_member(1, 1)
    members = set(range(1, PRESENCE_MEMBERS_MAX))
    coming = [Member(user_id, "member", NOW) for user_id in range(PRESENCE_MEMBERS_MAX, 105)]

    def check() -> None:
        assert set(chat.members) == members
        small = len(members) <= PRESENCE_MEMBERS_MAX
        seen = {user_id for user_id in range(106) if chat in directory.shared_with(user_id)}
        assert seen == (members if small else set())

    for _ in range(2):
        for member in coming:
            directory.member_set(1, member)
            directory.member_set(1, member)
            members.add(member.user_id)
            check()
        for member in coming:
            directory.member_gone(1, member.user_id)
            directory.member_gone(1, member.user_id)
            members.discard(member.user_id)
            check()
    directory.deleted(1)
    assert directory._chats_of == {}


async def test_roles_change_nothing_here_and_strangers_are_not_found() -> None:
    directory = directory_over(Chats())
    await directory.current(1)
    directory.member_set(1, Member(2, "owner", NOW))
    directory.member_set(99, Member(2, "owner", NOW))
    directory.member_gone(1, 77)
    for user_id, chat_id in ((4, 1), (1, 1_000_000)):
        with pytest.raises(ChatError) as refused:
            await directory.for_member(user_id, chat_id)
        assert refused.value.code == "not_found"
    chats: Any = directory.shared_with(2)
    assert [chat.id for chat in chats] == [1]


async def test_a_chat_whose_creation_becomes_known_late_is_loaded() -> None:
    """What was published before lacks in the state of its creation: here, that two members have left."""
    chats = Chats(members=3)
    chats.followed = False
    directory = directory_over(chats)
    directory.published(1, 7)
    directory.created(state(1, range(1, 6)), needed=True)
    assert directory.peek(1) is None
    chat = await directory.current(1)
    assert chat is not None
    assert (chats.loads, set(chat.members)) == ([1], {1, 2, 3})


async def test_a_new_chat_of_which_nobody_is_here_is_not_followed() -> None:
    """Else each server would follow all chats that are created while it runs."""
    chats = Chats()
    directory = directory_over(chats)
    directory.created(state(1, range(1, 4)), needed=False)
    assert directory.peek(1) is None
    assert chats.unfollowed == [1]
    directory.created(state(2, range(1, 4)), needed=True)
    assert directory.peek(2) is not None
    assert chats.unfollowed == [1]
