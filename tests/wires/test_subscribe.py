"""`?subscribe=all`: the connection is in the room of every chat, present and future."""

import asyncio
from typing import Any

import pytest

from storage.errors import Unavailable
from tests.clients.client import Client
from tests.clients.people import Person
from tests.clients.shapes import assert_error_frame
from tests.conftest import Serve, Server
from tests.patience import within

pytestmark = pytest.mark.wires


async def subscribed(person: Person) -> Client:
    """A connection that is in all rooms: the answer to its first command says so."""
    client = await person.connect(subscribe="all")
    await client.drain()
    return client


async def heard(client: Client) -> list[tuple[str, int]]:
    return [(frame["type"], frame["chat_id"]) for frame in await client.drain()]


async def test_every_chat_there_is(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_ids = [await ann.chat(bob, name=str(number)) for number in range(3)]
    await ann.chat(name="without Bob")
    bobs = await subscribed(bob)
    for chat_id in chat_ids:
        await ann.say(chat_id, "hi")
    assert await heard(bobs) == [("new_message", chat_id) for chat_id in chat_ids]
    assert await bobs.updates() == []


@pytest.mark.stores
async def test_chats_as_they_come_and_go(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    bobs = await subscribed(bob)
    made = await ann.chat(bob)
    await ann.say(made, "hi")
    assert await heard(bobs) == [("chat_added", made), ("new_message", made)]
    joined = await ann.chat(eve)
    await ann.say(joined, "not for Bob")
    await ann.post(f"/chats/{joined}/members", user_id=bob.id)
    await ann.say(joined, "hi Bob")
    assert await heard(bobs) == [("chat_added", joined), ("chat_changed", joined), ("new_message", joined)]
    await ann.delete(f"/chats/{joined}/members/{bob.id}")
    await ann.say(joined, "Bob is gone")
    await ann.delete(f"/chats/{made}")
    assert await heard(bobs) == [("chat_removed", joined), ("chat_removed", made)]


async def test_commands_wait_until_it_is_in_all_rooms(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    left, other = await ann.chat(bob), await ann.chat(bob)
    await server.restart()  # the chats are not in memory
    bobs = await bob.open(subscribe="all")
    await bobs.done("leave_chat", chat_id=left)
    await ann.say(left, "not heard")
    await ann.say(other, "heard")
    assert [frame for frame in await heard_names(bobs) if frame != "connected"] == ["new_message"]
    assert (await bobs.update())["chat_id"] == left


async def heard_names(client: Client) -> list[str]:
    return [frame["type"] for frame in await client.drain()]


async def test_only_the_connection_that_asked(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await subscribed(bob)
    plain = await bob.connect()
    await ann.say(chat_id, "hi")
    assert (await plain.update())["unread_count"] == 1
    await plain.nothing_more()


@pytest.mark.parametrize("word", ["", "ALL", "1", "none", "some"])
async def test_another_word_is_an_error_and_the_connection_goes_on(server: Server, word: str) -> None:
    ann = await server.person("ann")
    client = await ann.connect(subscribe=word)
    assert_error_frame(await client.next(), "invalid", "subscribe")
    await client.done("ping")


@pytest.mark.wires("raw")
async def test_a_thousand_chats_do_not_hold_up_the_others(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    chats, clock = server.chat_app.context.store.chats, server.chat_app.context.clock
    number = 1000
    await asyncio.gather(
        *(
            chats.create(name="x", chat_type="group", owner_id=ann.id, member_ids=(), created_at=clock.now())
            for _ in range(number)
        )
    )
    client = await ann.open(subscribe="all")
    await client.next("connected")
    turns = 0
    first = asyncio.create_task(client.done("ping"))
    while not first.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > number, "others have their turn between any two chats"
    (connection,) = server.chat_app.context.connections.of(ann.id)
    assert len(connection.joined) == number
    await client.close()


async def test_who_drops_meanwhile_leaves_nothing_behind(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    chats, context = server.chat_app.context.store.chats, server.chat_app.context
    ids_of, gate = chats.ids_of, asyncio.Event()

    async def slow(user_id: int) -> Any:
        await gate.wait()
        return await ids_of(user_id)

    monkeypatch.setattr(chats, "ids_of", slow)
    client = await ann.connect(subscribe="all")
    await client.close()
    async with within(5):
        while context.connections.of(ann.id):
            await asyncio.sleep(0.001)
    gate.set()
    watcher = await ann.joined(chat_id)
    chat = context.directory.peek(chat_id)
    assert chat is not None
    assert len(chat.joined) == 1
    await watcher.drain()


async def test_without_the_store_it_ends_and_may_come_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")

    async def lost(user_id: int) -> Any:
        raise Unavailable("lost")

    monkeypatch.setattr(server.chat_app.context.store.chats, "ids_of", lost)
    client = await ann.connect(subscribe="all")
    assert await client.closed() == 1013
