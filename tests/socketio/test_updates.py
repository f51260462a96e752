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


@pytest.mark.parametrize("kind", KINDS)
async def test_a_window_is_told_of_people_and_chats_that_come_and_go(
    server: Server, look: Look, kind: str
) -> None:
    ann, bob = await server.people("ann", "bob")
    window = await joined(await look(kind, bob))
    chat_id = await ann.chat(bob, name="Lunch")
    user = await ann.patch("/users/me", display_name="Анна")
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    private_id = await ann.chat(bob, chat_type="private")
    await ann.delete(f"/chats/{private_id}")
    told = [(event.name, event.payload) for event in await window.drain()]
    for _, payload in told:
        assert isinstance(payload.pop("timestamp"), str)
    assert told == [
        ("chat_added", {"chat_id": chat_id, "head_seq": 0}),
        ("user_changed", {"user_id": ann.id, "user": {key: user[key] for key in user if key != "email"}}),
        ("chat_removed", {"chat_id": chat_id, "reason": "removed", "name": "Lunch"}),
        ("chat_added", {"chat_id": private_id, "head_seq": 0}),
        ("chat_removed", {"chat_id": private_id, "reason": "deleted", "name": "Анна"}),
    ]
