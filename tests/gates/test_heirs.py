"""Who owns a chat after the account of its owner is banned or deleted, as clients see it."""

import asyncio
from typing import Any

import pytest

from domain.models import User
from handlers import moderation
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.conftest import Server

pytestmark = pytest.mark.stores


async def roles(person: Person, chat_id: int) -> dict[str, str]:
    members = (await person.get(f"/chats/{chat_id}/members"))["members"]
    return {member["user"]["username"]: member["role"] for member in members}


@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_a_ban_of_the_last_owner_passes_the_role_on(server: Server, chat_type: str) -> None:
    ann, bob, carl, dora = await server.people("ann", "bob", "carl", "dora")
    chat_id = await ann.chat(bob, carl, dora, chat_type=chat_type)
    await ann.patch(f"/chats/{chat_id}/members/{carl.id}", role="admin")
    joined, unjoined = await bob.joined(chat_id), await carl.connect()
    for client in (joined, unjoined):
        await client.drain()
    store = server.chat_app.context.store
    await moderation.ban(store, "ann")
    for client in (joined, unjoined):
        frame = await client.next("chat_changed")
        assert (frame["chat_id"], frame["chat"]["member_count"]) == (chat_id, 4)
        await client.nothing_more("chat_changed", "chat_removed")
    assert await roles(bob, chat_id) == {"ann": "member", "bob": "member", "carl": "owner", "dora": "member"}
    assert (await carl.get(f"/chats/{chat_id}"))["role"] == "owner"
    await carl.patch(f"/chats/{chat_id}/members/{bob.id}", role="admin")
    await moderation.unban(store, "ann")
    await ann.login("ann")
    assert (await ann.get(f"/chats/{chat_id}"))["role"] == "member"
    assert_error(await ann.request("DELETE", f"/chats/{chat_id}"), 403, "forbidden")
    # The remaining owner is now the last one.
    body = {"role": "member"}
    assert_error(
        await carl.request("PATCH", f"/chats/{chat_id}/members/{carl.id}", json=body), 409, "conflict"
    )
    await carl.delete(f"/chats/{chat_id}/members/{carl.id}")
    assert (await roles(bob, chat_id))["bob"] == "owner"


async def test_an_owner_who_is_banned_does_not_count_as_one(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl)
    await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="owner")
    await moderation.ban(server.chat_app.context.store, "bob")
    me = f"/chats/{chat_id}/members/{ann.id}"
    assert_error(await ann.request("PATCH", me, json={"role": "admin"}), 409, "conflict")
    client = await carl.joined(chat_id)
    await ann.delete(me)
    assert (await client.next("chat_changed"))["chat"]["member_count"] == 2
    assert await roles(carl, chat_id) == {"bob": "owner", "carl": "owner"}


async def test_who_is_banned_never_inherits_and_alone_keeps_no_chat(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl)
    await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="admin")
    store = server.chat_app.context.store
    await moderation.ban(store, "bob")
    await ann.delete(f"/chats/{chat_id}/members/{ann.id}")
    assert await roles(carl, chat_id) == {"bob": "admin", "carl": "owner"}
    client = await carl.connect()
    await carl.delete(f"/chats/{chat_id}/members/{carl.id}")
    assert (await client.next("chat_removed"))["chat_id"] == chat_id
    assert await store.chats.load(chat_id) is None


async def test_with_nobody_active_left_nothing_passes(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    store = server.chat_app.context.store
    for name in ("bob", "ann"):
        await moderation.ban(store, name)
    for person in (bob, ann):
        await moderation.unban(store, person.username)
        await person.login(person.username)
    assert await roles(ann, chat_id) == {"ann": "owner", "bob": "member"}


async def test_a_deletion_is_one_change_for_those_who_stay(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl)
    client = await carl.joined(chat_id)
    await moderation.ban(server.chat_app.context.store, "bob")
    await moderation.delete(server.chat_app.context.store, "ann")
    frame = await client.next("chat_changed")
    assert frame["chat"]["member_count"] == 2
    await client.nothing_more("chat_changed", "chat_removed")
    assert await roles(carl, chat_id) == {"bob": "member", "carl": "owner"}


async def test_a_deletion_leaves_hidden_groups_too(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    hidden, shown = await ann.chat(bob), await ann.chat(bob)
    await ann.patch(f"/chats/{hidden}/me", hidden=True)
    await moderation.delete(server.chat_app.context.store, "ann")
    for chat_id in (hidden, shown):
        assert await roles(bob, chat_id) == {"bob": "owner"}


async def test_who_is_added_in_the_middle_of_a_deletion_is_in_no_chat_in_the_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id, other = await ann.chat(bob), await carl.chat()
    users = server.chat_app.context.store.users
    delete = users.delete

    async def add_and_delete(user_id: int, *args: Any) -> User:
        for owner, one in ((ann, chat_id), (carl, other)):
            await owner.post(f"/chats/{one}/members", user_id=user_id)
        return await delete(user_id, *args)

    monkeypatch.setattr(users, "delete", add_and_delete)
    await bob.post("/users/me/delete", password=PASSWORD)
    assert await roles(ann, chat_id) == {"ann": "owner"}
    assert await roles(carl, other) == {"carl": "owner"}
    answer = await ann.request("POST", f"/chats/{chat_id}/members", json={"user_id": bob.id})
    assert_error(answer, 422, "invalid", "user_id")


async def test_a_ban_and_a_leave_at_once_leave_an_owner(server: Server) -> None:
    store = server.chat_app.context.store
    for number in range(4):
        ann, bob, carl = await server.people(*(f"{name}{number}" for name in ("ann", "bob", "carl")))
        chat_id = await ann.chat(bob, carl)
        await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="owner")
        actions = [
            moderation.ban(store, ann.username),
            bob.delete(f"/chats/{chat_id}/members/{bob.id}")
            if number % 2
            else moderation.ban(store, bob.username),
        ]
        await asyncio.gather(*actions[:: 1 if number < 2 else -1])
        assert (await roles(carl, chat_id))[carl.username] == "owner"
