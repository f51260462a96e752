"""The five test scenarios of the protocol document, with two clients."""

import asyncio

import pytest

from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.conftest import Serve, Server

pytestmark = pytest.mark.stores


async def two_windows(server: Server) -> tuple[int, Person, Client, Person, Client]:
    """Two people who have joined one chat."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    windows = await ann.joined(chat_id), await bob.joined(chat_id)
    await windows[0].drain()
    return chat_id, ann, windows[0], bob, windows[1]


async def test_1_connected_is_the_first_event_after_a_login(server: Server) -> None:
    ann = await server.person("ann")
    window = await ann.open()
    first = await window.next()
    assert (first["type"], first["user_id"]) == ("connected", ann.id)
    await window.nothing_more()


async def test_2_typing_shows_in_the_other_window_and_goes_away_by_itself(serve: Serve) -> None:
    clock = ManualClock()
    chat_id, ann, anns, _, bobs = await two_windows(await serve(clock=clock))
    await anns.send({"type": "typing", "chat_id": chat_id, "is_typing": True})
    shown = await bobs.next("typing")
    assert (shown["user_id"], shown["is_typing"]) == (ann.id, True)
    clock.advance(3)
    ended = await bobs.next("typing")
    assert (ended["user_id"], ended["is_typing"]) == (ann.id, False)
    await anns.nothing_more("typing")
    await bobs.nothing_more()


async def test_3_a_message_is_in_both_windows_at_once(server: Server) -> None:
    chat_id, ann, anns, _, bobs = await two_windows(server)
    message = await ann.say(chat_id, "Привет!")
    for window in (anns, bobs):
        assert (await window.next())["message"] == message
        await window.nothing_more()


async def test_4_an_edit_shows_in_both_windows_and_is_marked_as_one(server: Server) -> None:
    chat_id, ann, anns, _, bobs = await two_windows(server)
    message = await ann.say(chat_id, "Привет!")
    edited = await ann.patch(f"/messages/{message['id']}", content="Привет! (изменено)")
    assert edited["edited_at"] is not None
    for window in (anns, bobs):
        assert (await window.next())["type"] == "new_message"
        received = await window.next()
        assert (received["type"], received["content"]) == ("message_updated", "Привет! (изменено)")
        assert received["message"] == edited


async def test_5_after_a_restart_clients_come_back_to_the_same_chats(server: Server) -> None:
    chat_id, ann, anns, bob, bobs = await two_windows(server)
    before = await ann.say(chat_id, "before")
    await asyncio.gather(server.stop(), anns.closed(), bobs.closed())
    assert (await anns.closed(), await bobs.closed()) == (1001, 1001)
    await server.start()
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    assert (await bob.get(f"/chats/{chat_id}/messages"))["messages"] == [before]
    after = await bob.say(chat_id, "after")
    assert after["seq"] == before["seq"] + 1
    assert (await anns.next("new_message"))["message"] == after
    assert (await bobs.next("new_message"))["message"] == after
    await anns.send({"type": "typing", "chat_id": chat_id, "is_typing": True})
    assert (await bobs.next("typing"))["user_id"] == ann.id
