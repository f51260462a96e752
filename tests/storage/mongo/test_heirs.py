"""Bans by one server in the moment in which another one changes who owns a chat."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from domain.decisions.view import MemberView
from domain.models import Account, Role
from domain.refusals import Forbidden
from storage.mongo import MongoStore, chat_view
from storage.mongo.chat_replica import ChatReplica, MemberRole
from storage.mongo.database import Database
from storage.mongo.writer import Writer
from tests.storage.world import START, World, at


@pytest.fixture
def elsewhere(second_store: MongoStore) -> MongoStore:
    return second_store


@pytest.fixture
def here(mongo_store: MongoStore) -> World:
    return World(mongo_store)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], Awaitable[object]]], None]:
    """Has something done once, right after a decision has looked at an account and before its row is in."""

    def install(looked_at: int, action: Callable[[], Awaitable[object]]) -> None:
        left = [action]

        async def accounts_of(database: Database, user_ids: Collection[int]) -> Mapping[int, Account]:
            found = await original(database, user_ids)
            if left and looked_at in user_ids:
                await left.pop()()
            return found

        original = chat_view.accounts_of
        monkeypatch.setattr(chat_view, "accounts_of", accounts_of)

    return install


async def roles(world: World, chat_id: int) -> dict[int, Role]:
    state = await world.store.chats.load(chat_id)
    assert state is not None
    return {user_id: member.role for user_id, member in state.members.items()}


Between = Callable[[int, Callable[[], Awaitable[object]]], None]


@pytest.mark.parametrize("how", ["leaves", "gives up the role"])
async def test_one_owner_goes_while_the_other_is_banned(
    here: World, elsewhere: MongoStore, between: Between, how: str
) -> None:
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna, boris, vera)
    await here.store.chats.set_role(chat_id, anna, boris, "owner", START)
    between(boris, lambda: elsewhere.users.set_banned(boris, True))
    if how == "leaves":
        await here.store.chats.remove_member(chat_id, anna, anna, START)
        assert await roles(here, chat_id) == {boris: "member", vera: "owner"}
    else:
        await here.store.chats.set_role(chat_id, anna, anna, "member", START)
        assert await roles(here, chat_id) == {anna: "owner", boris: "member", vera: "member"}


async def test_the_heir_is_banned_while_the_owner_leaves(
    here: World, elsewhere: MongoStore, between: Between
) -> None:
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna, boris, vera)
    between(boris, lambda: elsewhere.users.set_banned(boris, True))
    await here.store.chats.remove_member(chat_id, anna, anna, START)
    assert await roles(here, chat_id) == {boris: "member", vera: "owner"}


async def test_the_owner_is_banned_while_adding_somebody(
    here: World, elsewhere: MongoStore, between: Between
) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    between(anna, lambda: elsewhere.users.set_banned(anna, True))
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    assert await roles(here, chat_id) == {anna: "member", boris: "owner"}


async def test_the_owner_is_banned_while_making_a_chat(
    here: World, elsewhere: MongoStore, between: Between
) -> None:
    anna, boris = await here.users(2)
    between(anna, lambda: elsewhere.users.set_banned(anna, True))
    chat_id = await here.chat(anna, boris)
    assert await roles(here, chat_id) == {anna: "member", boris: "owner"}


async def test_both_owners_are_banned_by_two_servers_at_once(here: World, elsewhere: MongoStore) -> None:
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna, boris, vera)
    await here.store.chats.set_role(chat_id, anna, boris, "owner", START)
    first = elsewhere.users.set_banned(anna, True)
    await here.store.users.set_banned(boris, True)
    await first
    now = await roles(here, chat_id)
    assert now[vera] == "owner"
    assert sorted(now.values()) == [
        "member",
        "owner",
        "owner",
    ]  # the first to be banned was not the last owner


async def test_another_server_learns_who_inherited(here: World, elsewhere: MongoStore) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    assert await elsewhere.chats.load(chat_id) is not None
    await here.store.users.set_banned(anna, True)
    with pytest.raises(Forbidden):
        await elsewhere.chats.change(chat_id, anna, START, name="New")
    await elsewhere.chats.change(chat_id, boris, START, name="New")
    reopened = await elsewhere.chats.load(chat_id)
    assert reopened is not None
    assert reopened.members[boris].role == "owner"


async def test_the_heir_of_a_large_chat_is_found_in_a_few_queries(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the oldest hundred members never inherit."""
    anna, heir = await here.users(2)
    bots = [await here.user(is_bot=True) for _ in range(115)]
    chat_id = await here.chat(anna, *bots)
    await here.store.chats.add_member(chat_id, anna, heir, "member", at(1))
    asked: list[int] = []
    original = chat_view.accounts_of

    async def accounts_of(database: Database, user_ids: Collection[int]) -> Mapping[int, Account]:
        asked.append(len(user_ids))
        return await original(database, user_ids)

    monkeypatch.setattr(chat_view, "accounts_of", accounts_of)
    await here.store.chats.remove_member(chat_id, anna, anna, START)
    assert (await roles(here, chat_id))[heir] == "owner"
    # The owners, the members in two steps and the rest; and the heir once more when the change is in.
    assert asked == [1, 10, 100, 6, 1]


async def test_the_heir_of_a_very_large_chat_is_found_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each load restarts the decision, so the loads grow with what is loaded."""
    asked: list[int] = []
    seen: list[int] = []

    async def accounts_of(_database: Database, user_ids: Collection[int]) -> Mapping[int, Account]:
        asked.append(len(user_ids))
        return {user_id: Account(user_id, False, True, False) for user_id in user_ids}

    def decide(view: MemberView) -> int:
        for account in view.accounts_by_role(1, "member"):
            seen.append(account.id)
        return sum(account.active for account in view.accounts_by_role(1, "member"))

    monkeypatch.setattr(chat_view, "accounts_of", accounts_of)
    view = chat_view.LoadingView(cast(Writer, SimpleNamespace(database=None)), None)
    members = range(1, 40_001)
    view.replica = ChatReplica(1, roles={user_id: MemberRole("member", at(0)) for user_id in members})
    assert await view.decide(decide) == 0
    assert asked == [10, 100, 1000, 1110, 2220, 4440, 8880, 17_760, 4480]
    assert len(seen) < 3 * len(members)
