"""The pictures of users and chats."""

import asyncio
from dataclasses import replace

import pytest

from domain.acts import AccountUpdate
from domain.changes import UserChanged
from domain.file_changes import ChatAvatarChanged, FilesRemoved
from domain.refusals import Forbidden, NotFound
from storage.ports import Store
from tests.storage.conftest import Place
from tests.storage.kept import queue
from tests.storage.world import World, at

pytestmark = pytest.mark.long_on_mongo


async def test_a_user_has_an_avatar(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna = await world.user()
    before = await store.users.get(anna)
    assert before is not None
    assert before.avatar_id is None
    with_one = await store.users.set_avatar(anna, "one")
    assert with_one == replace(before, avatar_id="one")
    assert await store.users.set_avatar(anna, "one") == with_one
    assert world.published == [UserChanged(with_one)]
    assert [change.shown for change in world.published if isinstance(change, UserChanged)] == [True]
    assert await queue(store) == set()
    assert await store.uploads.known(["one", "two"]) == {"one"}
    await store.close()
    store = await place.open()
    world = World(store)
    assert await store.users.get(anna) == with_one
    assert (await store.users.set_avatar(anna, "two")).avatar_id == "two"
    await asyncio.sleep(0)
    assert FilesRemoved(["one"]) in world.published
    assert await queue(store) == {"one"}
    assert await store.users.set_avatar(anna, None) == before
    assert await queue(store) == {"one", "two"}
    assert await store.uploads.known(["one", "two"]) == set()
    await store.close()


@pytest.mark.parametrize("state", [AccountUpdate(banned=True), AccountUpdate(deleted=True)])
async def test_only_active_users_get_one(store: Store, world: World, state: AccountUpdate) -> None:
    anna = await world.user()
    await store.users.update(anna, state)
    for user_id in (anna, anna + 1000):
        with pytest.raises(NotFound):
            await store.users.set_avatar(user_id, "one")
    assert await store.uploads.known(["one"]) == set()


async def test_a_chat_has_an_avatar(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    world.published.clear()
    chat = await store.chats.set_avatar(chat_id, anna, "one", at(1))
    assert chat.avatar_id == "one"
    assert world.published == [ChatAvatarChanged(chat, None, anna, at(1))]
    assert await store.chats.set_avatar(chat_id, anna, "one", at(1)) == chat
    assert len(world.published) == 1
    assert await store.uploads.known(["one"]) == {"one"}
    with pytest.raises(Forbidden):
        await store.chats.set_avatar(chat_id, boris, "two", at(2))
    with pytest.raises(NotFound):
        await store.chats.set_avatar(chat_id, boris + 1000, "two", at(2))
    renamed = await store.chats.change(chat_id, anna, at(2), name="Other", is_public=True)
    assert (renamed.name, renamed.avatar_id) == ("Other", "one")
    await store.close()
    store = await place.open()
    world = World(store)
    assert (await store.chats.summary(chat_id, boris)).chat.avatar_id == "one"
    state = await store.chats.load(chat_id)
    assert state is not None
    assert state.chat.avatar_id == "one"
    assert (await store.chats.set_avatar(chat_id, anna, "two", at(3))).avatar_id == "two"
    await asyncio.sleep(0)
    assert FilesRemoved(["one"]) in world.published
    assert await queue(store) == {"one"}
    assert (await store.chats.set_avatar(chat_id, anna, None, at(4))).avatar_id is None
    assert await queue(store) == {"one", "two"}
    entries, _ = await store.audit.page(chat_id, cursor=None, limit=10)
    assert [entry.action for entry in entries if entry.action.startswith("avatar")] == [
        "avatar_removed",
        "avatar_changed",
        "avatar_changed",
    ]
    await store.close()


async def test_a_private_chat_has_none(store: Store, world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="private")
    with pytest.raises(Forbidden):
        await store.chats.set_avatar(chat_id, anna, "one", at(1))
