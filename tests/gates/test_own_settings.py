"""What members set in a chat for themselves: the call, the event, the list of hidden chats."""

from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.shapes import CHAT, assert_error, fits, is_time
from tests.conftest import Server

DEFAULTS = {
    "notifications": "all",
    "favorite": False,
    "hidden": False,
    "marked_unread": False,
    "muted_until": None,
}


async def told(client: Client) -> list[dict[str, Any]]:
    """What the `chat_settings` since the last call say."""
    events = [frame for frame in await client.drain() if frame["type"] == "chat_settings"]
    for event in events:
        assert is_time(event.pop("timestamp"))
        del event["type"]
    return events


@pytest.mark.wires
@pytest.mark.stores
async def test_own_connections_hear_of_each_change_once(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    joined, other, bobs = await ann.joined(chat_id), await ann.connect(), await bob.joined(chat_id)
    expected: dict[str, Any] = {"chat_id": chat_id, **DEFAULTS}
    for change in (
        {"notifications": "none"},
        {"favorite": True, "marked_unread": True},
        {"hidden": True},
        {"hidden": False, "notifications": "mentions"},
    ):
        chat = await ann.patch(f"/chats/{chat_id}/me", **change)
        expected |= change
        assert fits(chat, CHAT)
        assert {name: chat[name] for name in DEFAULTS} == {name: expected[name] for name in DEFAULTS}
        for client in (joined, other):
            assert await told(client) == [expected]
        await ann.patch(f"/chats/{chat_id}/me", **change)
        for client in (joined, other):
            assert await told(client) == []
    await joined.done("read_messages", chat_id=chat_id)
    await joined.done("read_messages", chat_id=chat_id)
    for client in (joined, other):
        assert await told(client) == [expected | {"marked_unread": False}]
    assert await told(bobs) == []
    bobs_view = await bob.get(f"/chats/{chat_id}")
    assert {name: bobs_view[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.stores
async def test_a_hidden_chat_comes_back_with_a_message(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id, other_id = await ann.chat(bob), await ann.chat(bob)
    await bob.say(chat_id, "before")

    async def listed(**query: str) -> list[int]:
        return [chat["id"] for chat in (await ann.get("/chats", **query))["chats"]]

    await ann.patch(f"/chats/{chat_id}/me", hidden=True)
    assert (await listed(), await listed(hidden="true")) == ([other_id], [chat_id])
    assert (await ann.get(f"/chats/{chat_id}"))["hidden"] is True
    anns = await ann.connect()
    await bob.say(chat_id, "after")
    assert (await anns.update())["last_message"]["content"] == "after"
    assert (await listed(), await listed(hidden="true")) == ([chat_id, other_id], [])
    chat = await ann.get(f"/chats/{chat_id}")
    assert (chat["hidden"], chat["unread_count"]) == (False, 2)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"notifications": "some"}, "notifications"),
        ({"notifications": 1}, "notifications"),
        ({"favorite": "yes"}, "favorite"),
        ({"hidden": 1}, "hidden"),
        ({"marked_unread": "true"}, "marked_unread"),
    ],
)
async def test_what_is_wrong(server: Server, body: dict[str, Any], field: str) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    assert_error(await ann.request("PATCH", f"/chats/{chat_id}/me", json=body), 422, "invalid", field)


async def test_nothing_and_null_leave_all_as_it_is(server: Server) -> None:
    ann, eve = await server.people("ann", "eve")
    chat_id = await ann.chat()
    anns = await ann.connect()
    for body in ({}, {"favorite": None, "notifications": None, "colour": "red"}):
        status, chat = await ann.request("PATCH", f"/chats/{chat_id}/me", json=body)
        assert status == 200
        assert {name: chat[name] for name in DEFAULTS} == DEFAULTS
    assert await told(anns) == []
    assert_error(await eve.request("PATCH", f"/chats/{chat_id}/me", json={}), 404, "not_found")
    assert_error(await ann.request("GET", "/chats", params={"hidden": "1"}), 422, "invalid", "hidden")
