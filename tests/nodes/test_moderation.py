"""Acts of admins of the server, mutes and bans of chats, with those whom they concern at the other node."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.clients.shapes import assert_error
from tests.nodes.conftest import Pair
from tests.nodes.test_events import soon
from tests.patience import within

pytestmark = pytest.mark.cluster


async def test_what_an_admin_of_the_server_does_counts_at_the_other_node(pair: Pair) -> None:
    ada, bob, carl = await pair.people("ada", "bob", "carl")
    assert (await pair.one.command_line("user", "admin", "ada"))[0] == 0
    bob_there, carl_there = pair.there(bob), pair.there(carl)
    assert_error(await bob_there.request("GET", "/admin/users"), 403, "forbidden")
    bobs, carls = await bob_there.connect(), await carl_there.connect()
    for client in (bobs, carls):
        await client.drain()
    await ada.patch(f"/admin/users/{bob.id}", is_admin=True)
    assert len((await bob_there.get("/admin/users"))["users"]) == 3  # at once
    assert (await soon(bobs, "user_changed"))["user"]["is_admin"] is True
    code = (await bob_there.post("/admin/invites"))["code"]
    await ada.patch(f"/admin/users/{bob.id}", is_admin=False)
    assert_error(await bob_there.request("GET", "/admin/users"), 403, "forbidden")
    assert (await soon(bobs, "user_changed"))["user"]["is_admin"] is False
    assert_error(await bob_there.request("GET", f"/invites/{code}"), 404, "not_found")
    await ada.patch(f"/admin/users/{carl.id}", banned=True)
    async with within(1):
        assert await carls.closed() == 4403
    assert_error(await carl_there.request("GET", "/users/me"), 403, "forbidden")
    await ada.patch(f"/admin/users/{carl.id}", banned=False)
    await carl_there.login("carl")
    await ada.patch(f"/admin/users/{bob.id}", is_admin=True)
    # Of two who demote each other at once, at two nodes, one stays an admin.
    answers = await asyncio.gather(
        ada.request("PATCH", f"/admin/users/{bob.id}", json={"is_admin": False}),
        bob_there.request("PATCH", f"/admin/users/{ada.id}", json={"is_admin": False}),
    )
    assert sorted(status for status, _ in answers)[0] == 200
    admins = [person for person in (ada, bob_there) if (await person.get("/users/me"))["is_admin"]]
    assert len(admins) == 1


async def test_a_mute_and_a_ban_count_at_the_other_node(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    bob_there, chat_id = pair.there(bob), await ann.chat(bob)
    path = f"/chats/{chat_id}"
    invite = (await ann.post(f"{path}/invites"))["code"]
    client = await bob_there.joined(chat_id)
    own = await bob_there.say(chat_id, "before")
    await soon(client, "new_message")
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await ann.patch(f"{path}/members/{bob.id}", muted_until=until)
    assert (await client.command("send_message", chat_id=chat_id, content="x"))["code"] == "forbidden"
    assert (await client.command("edit_message", message_id=own["id"], content="x"))["code"] == "forbidden"
    assert (await soon(client, "chat_settings"))["muted_until"] is not None
    assert (await client.command("typing", chat_id=chat_id, is_typing=True))["code"] == "forbidden"
    await ann.patch(f"{path}/members/{bob.id}", muted_until=None)
    await client.done("typing", chat_id=chat_id, is_typing=True)  # at once: no refusal is from memory
    await client.done("send_message", chat_id=chat_id, content="again")
    assert (await soon(client, "chat_settings"))["muted_until"] is None
    await ann.post(f"{path}/bans", user_id=bob.id)
    assert_error(await bob_there.request("GET", path), 404, "not_found")
    assert_error(await bob_there.request("POST", f"/invites/{invite}/accept"), 403, "forbidden")
    assert (await client.command("send_message", chat_id=chat_id, content="x"))["code"] == "not_found"
    removed = await soon(client, "chat_removed")
    assert (removed["chat_id"], removed["reason"]) == (chat_id, "banned")
    await ann.say(chat_id, "not for bob")
    await ann.delete(f"{path}/bans/{bob.id}")
    assert (await bob_there.post(f"/invites/{invite}/accept"))["id"] == chat_id
    added = await soon(client, "chat_added")
    assert added["chat_id"] == chat_id
    assert "not for bob" not in str(client.take())
