"""`GET /messages/{id}/history`: what a message said before its edits, and who reads it."""

import asyncio

import pytest

from tests.clients.shapes import is_time
from tests.conftest import Server

pytestmark = pytest.mark.stores


async def test_the_versions_of_a_message(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "one")
    path = f"/messages/{message['id']}/history"
    assert await bob.get(path) == {"versions": [{"content": "one", "edited_at": None}]}
    edited = [await ann.patch(f"/messages/{message['id']}", content=content) for content in ("two", "three")]
    versions = (await bob.get(path))["versions"]
    assert versions == [
        {"content": "one", "edited_at": None},
        *({"content": one["content"], "edited_at": one["edited_at"]} for one in edited),
    ]
    assert all(is_time(one["edited_at"]) for one in versions[1:])
    assert await ann.get(path) == {"versions": versions}


async def test_only_members_read_it(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    chat_id = await ann.chat(bob)
    message = await bob.say(chat_id, "one")
    await bob.patch(f"/messages/{message['id']}", content="two")
    path = f"/messages/{message['id']}/history"
    missing, _ = await eve.request("GET", "/messages/999/history"), None
    assert await eve.request("GET", path) == missing
    assert missing[0] == 404
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    assert (await bob.request("GET", path))[0] == 404, "one's own old messages too"
    assert len((await ann.get(path))["versions"]) == 2
    assert (await server.stranger().request("GET", path))[0] == 401


async def test_a_deleted_message_has_none(server: Server) -> None:
    (ann,) = await server.people("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "one")
    await ann.patch(f"/messages/{message['id']}", content="two")
    await ann.delete(f"/messages/{message['id']}")
    status, body = await ann.request("GET", f"/messages/{message['id']}/history")
    assert (status, body["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("message_id", ["0", "-1", "1.0", "x", "9007199254740992", "%00"])
async def test_a_bad_id_is_refused(server: Server, message_id: str) -> None:
    (ann,) = await server.people("ann")
    status, body = await ann.request("GET", f"/messages/{message_id}/history")
    assert status in (404, 422), body


async def test_edits_at_once_are_all_in_it(server: Server) -> None:
    (ann,) = await server.people("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "first")
    clients = [await ann.connect() for _ in range(4)]
    await asyncio.gather(
        *(
            client.done("edit_message", message_id=message["id"], content=f"{client_no} {number}")
            for number in range(5)
            for client_no, client in enumerate(clients)
        )
    )
    versions = (await ann.get(f"/messages/{message['id']}/history"))["versions"]
    assert versions[0] == {"content": "first", "edited_at": None}
    assert sorted(one["content"] for one in versions[1:]) == sorted(
        f"{client_no} {number}" for number in range(5) for client_no in range(4)
    )
    present = await ann.get(f"/messages/{message['id']}")
    assert (versions[-1]["content"], versions[-1]["edited_at"]) == (present["content"], present["edited_at"])


@pytest.mark.long_on_mongo
async def test_the_largest_history_is_read(server: Server) -> None:
    """A hundred and one versions, each as long as a message may be."""
    (ann,) = await server.people("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "0")
    client = await ann.connect()
    for number in range(1, 104):
        await client.done(
            "edit_message", message_id=message["id"], content=f"{number:03}" + "\N{GRINNING FACE}" * 9997
        )
    versions = (await ann.get(f"/messages/{message['id']}/history"))["versions"]
    assert [int(one["content"][:3].lstrip("0") or 0) for one in versions] == [0, *range(4, 104)]
