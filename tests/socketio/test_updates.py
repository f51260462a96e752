"""Chats one has not joined, and all chats at once: the same through every window."""

import pytest

from tests.conftest import Server
from tests.socketio.conftest import KINDS, Look, joined


@pytest.mark.parametrize("kind", KINDS)
async def test_a_window_that_has_not_joined_is_told(server: Server, look: Look, kind: str) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    window = await joined(await look(kind, bob))
    message = await ann.say(chat_id, "hi")
    update = (await window.update()).payload
    timestamp = update.pop("timestamp")
    assert isinstance(timestamp, str)
    assert update == {
        "chat_id": chat_id,
        "last_message": message,
        "unread_count": 1,
        "read_seq": 0,
        "head_seq": 1,
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_a_window_that_subscribes_is_in_every_room(server: Server, look: Look, kind: str) -> None:
    ann, bob = await server.people("ann", "bob")
    first = await ann.chat(bob)
    window = await joined(await look(kind, bob, subscribe="all"))
    second = await ann.chat(bob)
    for chat_id in (first, second):
        await ann.say(chat_id, "hi")
    told = [(event.name, event.payload["chat_id"]) for event in await window.drain()]
    assert told == [("chat_added", second), ("new_message", first), ("new_message", second)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_wish_is_told(server: Server, look: Look, kind: str) -> None:
    window = await look(kind, await server.person("ann"), subscribe="some")
    await window.next("connected")
    error = (await window.next("error")).payload
    assert (error["code"], list(error["fields"])) == ("invalid", ["subscribe"])
    await window.drain()
