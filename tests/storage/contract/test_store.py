import asyncio

import pytest

from storage.errors import Unavailable
from storage.ports import Store
from tests.storage.conftest import Place
from tests.storage.world import START, World, at, draft


async def test_everything_stays(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.user("anna", email="a@b.c"), await world.user("boris", is_bot=True)
    await store.sessions.create(
        session_id="s", user_id=anna, token_hash="t", expires_at=at(100), created_at=START
    )
    chat_id = await world.chat(anna, boris)
    first = await world.send(chat_id, anna, client_id="x")
    last = await world.send(chat_id, boris)
    await world.store.messages.edit(first.id, anna, "edited", at(1))
    await world.store.messages.delete(last.id, anna, at(2))
    await store.messages.mark_read(chat_id, boris, last.id)
    gone = await world.chat(anna)
    await store.chats.delete(gone, anna)

    async def look(store: Store) -> list[object]:
        return [
            await store.users.get_many([anna, boris]),
            await store.sessions.get("s"),
            await store.chats.load(chat_id),
            await store.chats.load(gone),
            await store.chats.list_for(boris, cursor=None, limit=10),
            await store.messages.changed_since(chat_id, 0, limit=10),
            await store.messages.history(chat_id, limit=10),
        ]

    before = await look(store)
    await store.close()
    store = await place.open()
    world = World(store)
    assert await look(store) == before
    assert (await world.send(chat_id, anna)).changed_seq == 5
    assert (await store.messages.append(draft(chat_id, anna, client_id="x"))).duplicate
    assert await world.user() > boris
    assert await world.chat(anna) > gone
    await store.close()


@pytest.mark.long_on_mongo
async def test_close_finishes_what_is_queued(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    sends = [store.messages.append(draft(chat_id, anna, str(number))) for number in range(2000)]
    await store.close()
    assert [send.result().message.seq for send in sends] == list(range(1, 2001))
    assert len(world.message_changes(chat_id)) == 2000
    store = await place.open()
    assert len(await store.messages.changed_since(chat_id, 0, limit=3000)) == 2000
    await store.close()


async def test_a_closed_store(store: Store) -> None:
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await asyncio.gather(store.close(), store.close())
    await store.close()
    for call in (
        store.ping(),
        store.chats.load(chat_id),
        store.users.rename(anna, "New"),
        store.messages.append(draft(chat_id, anna)),
        store.messages.history(chat_id, limit=5),
    ):
        with pytest.raises(Unavailable):
            await call


async def test_ping(store: Store) -> None:
    await store.ping()


async def test_the_epoch_stays_with_the_data(place: Place) -> None:
    store = await place.open()
    epoch = store.epoch
    assert len(epoch) >= 16
    await store.close()
    store = await place.open()
    assert store.epoch == epoch
    await store.close()
