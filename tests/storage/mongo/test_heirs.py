"""Bans by one server in the moment in which another one changes who owns a chat."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.models import Role
from storage.mongo import MongoStore, chat_writes, member_writes
from tests.storage.world import World, allow, at


@pytest.fixture
def elsewhere(second_store: MongoStore) -> MongoStore:
    return second_store


@pytest.fixture
def here(mongo_store: MongoStore) -> World:
    return World(mongo_store)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Callable[[], Awaitable[object]]], None]:
    """Has something done once, right after a plan has looked at accounts and before its row is in."""

    def install(module: Any, look: str, deed: Callable[[], Awaitable[object]]) -> None:
        original, left = getattr(module, look), [deed]

        async def looked(*args: Any) -> Any:
            found = await original(*args)
            if left:
                await left.pop()()
            return found

        monkeypatch.setattr(module, look, looked)

    return install


async def roles(world: World, chat_id: int) -> dict[int, Role]:
    state = await world.store.chats.load(chat_id)
    assert state is not None
    return {user_id: member.role for user_id, member in state.members.items()}


Between = Callable[[Any, str, Callable[[], Awaitable[object]]], None]


@pytest.mark.parametrize("how", ["leaves", "gives up the role"])
async def test_one_owner_goes_while_the_other_is_banned(
    here: World, elsewhere: MongoStore, between: Between, how: str
) -> None:
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna, boris, vera)
    await here.store.chats.set_role(chat_id, anna, boris, "owner", allow)
    between(member_writes, "owner_but", lambda: elsewhere.users.set_banned(boris, True))
    if how == "leaves":
        await here.store.chats.remove_member(chat_id, anna, anna, allow)
        assert await roles(here, chat_id) == {boris: "member", vera: "owner"}
    else:
        await here.store.chats.set_role(chat_id, anna, anna, "member", allow)
        assert await roles(here, chat_id) == {anna: "owner", boris: "member", vera: "member"}


async def test_the_heir_is_banned_while_the_owner_leaves(
    here: World, elsewhere: MongoStore, between: Between
) -> None:
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna, boris, vera)
    between(member_writes, "heir_but", lambda: elsewhere.users.set_banned(boris, True))
    await here.store.chats.remove_member(chat_id, anna, anna, allow)
    assert await roles(here, chat_id) == {boris: "member", vera: "owner"}


async def test_the_owner_is_banned_while_adding_somebody(
    here: World, elsewhere: MongoStore, between: Between
) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    between(member_writes, "active_of", lambda: elsewhere.users.set_banned(anna, True))
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1), allow)
    assert await roles(here, chat_id) == {anna: "member", boris: "owner"}


async def test_the_owner_is_banned_while_making_a_chat(
    here: World, elsewhere: MongoStore, between: Between
) -> None:
    anna, boris = await here.users(2)
    between(chat_writes, "active_of", lambda: elsewhere.users.set_banned(anna, True))
    chat_id = await here.chat(anna, boris)
    assert await roles(here, chat_id) == {anna: "member", boris: "owner"}


async def test_both_owners_are_banned_by_two_servers_at_once(here: World, elsewhere: MongoStore) -> None:
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna, boris, vera)
    await here.store.chats.set_role(chat_id, anna, boris, "owner", allow)
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
    seen: list[Role] = []
    # A rule is asked again once the server has caught up: the last word counts.
    await elsewhere.chats.rename(chat_id, boris, "New", lambda actor: seen.append(actor.role))
    assert seen[-1] == "owner"
    await elsewhere.chats.rename(chat_id, anna, "Newer", lambda actor: seen.append(actor.role))
    assert seen[-1] == "member"
    reopened = await elsewhere.chats.load(chat_id)
    assert reopened is not None
    assert reopened.members[boris].role == "owner"
