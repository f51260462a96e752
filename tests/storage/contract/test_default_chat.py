"""The default chat, in both stores: created once, whatever becomes of it."""

import asyncio

import pytest

from domain.refusals import UnknownUsers
from storage.ports import Store
from tests.storage.conftest import Place
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def create(store: Store, owner_id: int, name: str = "Everybody") -> None:
    await store.chats.create_default(name=name, owner_id=owner_id, created_at=START)


async def the_chat(world: World, user_id: int) -> int:
    (chat_id,) = await world.store.chats.ids_of(user_id)
    return chat_id


async def test_it_is_a_public_group_of_its_owner(world: World) -> None:
    ada = await world.user()
    assert await world.store.chats.default_id() is None
    await create(world.store, ada)
    state = await world.store.chats.load(await the_chat(world, ada))
    assert state is not None
    chat = state.chat
    assert await world.store.chats.default_id() == chat.id
    assert (chat.name, chat.chat_type, chat.is_public, chat.created_by) == ("Everybody", "group", True, ada)
    assert {user_id: member.role for user_id, member in state.members.items()} == {ada: "owner"}
    summary = await world.store.chats.summary(chat.id, ada)
    assert summary.chat.is_public


async def test_who_joins_is_a_plain_member_once(world: World) -> None:
    ada, bob = await world.users(2)
    await world.store.chats.join_default(bob, at(1))  # there is none yet
    assert await world.store.chats.ids_of(bob) == []
    await create(world.store, ada)
    for user_id in (bob, bob, ada):
        await world.store.chats.join_default(user_id, at(1))
    chat_id = await the_chat(world, ada)
    members, _ = await world.store.chats.members(chat_id, cursor=None, limit=10)
    assert [(member.user_id, member.role) for member in members] == [(ada, "owner"), (bob, "member")]
    await world.store.chats.change(chat_id, ada, at(2), is_public=False)
    carl = await world.user()
    await world.store.chats.join_default(carl, at(3))
    assert await the_chat(world, carl) == chat_id
    dora = await world.user()
    await world.store.users.delete(dora)
    with pytest.raises(UnknownUsers):
        await world.store.chats.join_default(dora, at(4))


async def test_it_is_never_created_twice(place: Place) -> None:
    store = await place.open()
    world = World(store)
    ada, bob = await world.users(2)
    await asyncio.gather(*(create(store, owner) for owner in (ada, bob, ada)))
    (chat_id,) = [*await store.chats.ids_of(ada), *await store.chats.ids_of(bob)]
    owner = ada if chat_id in await store.chats.ids_of(ada) else bob
    await store.chats.change(chat_id, owner, at(1), name="Renamed")
    await create(store, ada, "Everybody")
    await store.close()

    store = await place.open()
    await create(store, bob, "Another name")
    assert [*await store.chats.ids_of(ada), *await store.chats.ids_of(bob)] == [chat_id]
    await store.chats.delete(chat_id, owner)
    await create(store, ada)
    await store.close()

    store = await place.open()
    await create(store, ada)
    await store.chats.join_default(ada, at(2))
    assert [*await store.chats.ids_of(ada), *await store.chats.ids_of(bob)] == []
    await store.close()


async def test_an_owner_who_is_not_active_creates_nothing(world: World) -> None:
    ada, bob = await world.users(2)
    await world.store.users.set_banned(ada, True)
    with pytest.raises(UnknownUsers):
        await create(world.store, ada)
    await create(world.store, bob)
    assert len(await world.store.chats.ids_of(bob)) == 1
