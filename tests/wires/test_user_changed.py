"""`user_changed`: those who may see a user receive a new name, a ban and a deletion once."""

import asyncio
from typing import Any

import pytest

from handlers import moderation
from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.shapes import OWN_USER, USER, assert_error, fits, is_time
from tests.conftest import Serve, Server
from tests.storage.world import START

pytestmark = pytest.mark.wires


async def names(client: Client) -> list[str]:
    """The display names in the `user_changed` since the last call."""
    return [
        frame["user"]["display_name"] for frame in await client.drain() if frame["type"] == "user_changed"
    ]


async def test_those_who_share_a_small_chat_hear_it_once_joined_or_not(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    chats = [await ann.chat(bob), await bob.chat(ann), await ann.chat(bob, chat_type="private")]
    joined, outside, stranger = await bob.joined(*chats), await bob.connect(), await eve.connect()
    user = await ann.patch("/users/me", display_name="Анна")
    for client in (joined, outside):
        changed = await client.next("user_changed")
        assert changed.keys() == {"type", "user_id", "user", "timestamp"}
        assert is_time(changed["timestamp"])
        assert fits(changed["user"], USER)
        assert changed["user_id"] == ann.id
        assert changed["user"] == {key: value for key, value in user.items() if key in USER}
        await client.nothing_more("user_changed")
    await stranger.nothing_more()


async def test_own_connections_hear_it_with_their_own_fields(server: Server) -> None:
    ann = await server.person("ann", email="ann@example.org")
    alone = await ann.connect()
    await ann.patch("/users/me", display_name="Alone")
    changed = await alone.next("user_changed")
    assert fits(changed["user"], OWN_USER)
    assert (changed["user"]["email"], changed["user"]["status"]) == ("ann@example.org", "online")
    bob = await server.person("bob")
    chat_id = await ann.chat(bob)
    joined = await ann.joined(chat_id)
    await ann.patch("/users/me", display_name="With Bob")
    for client in (alone, joined):
        assert (await client.next("user_changed"))["user"]["email"] == "ann@example.org"
        await client.nothing_more("user_changed")


async def test_an_unchanged_name_and_a_password_are_not_published(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    await ann.chat(bob)
    bobs, anns = await bob.connect(), await ann.connect()
    await ann.patch("/users/me", display_name="ann")
    await ann.patch("/users/me", password="another password", old_password="correct horse battery")
    await anns.close()  # and so is when she was last seen
    await bobs.nothing_more("user_changed")
    assert await names(bobs) == []


async def _large(server: Server, *people: Any, members: int) -> int:
    """A chat of these people with `members` members in all."""
    store, now = server.chat_app.context.store, server.chat_app.context.clock.now()
    others = [
        await store.users.create(
            username=f"extra{number}", display_name="x", email=None, password_hash="", created_at=now
        )
        for number in range(members - len(people))
    ]
    chat, _ = await store.chats.create(
        name="Large",
        chat_type="group",
        owner_id=people[0].id,
        member_ids=[person.id for person in people] + [other.id for other in others],
        created_at=now,
    )
    return chat.id


@pytest.mark.parametrize("members", [100, 101])
async def test_in_a_large_chat_only_joined_members_get_it(server: Server, members: int) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await _large(server, ann, bob, carl, members=members)
    joined, outside, own = await bob.joined(chat_id), await carl.connect(), await ann.joined(chat_id)
    await ann.patch("/users/me", display_name="Anna")
    assert await names(joined) == ["Anna"]
    assert await names(outside) == (["Anna"] if members == 100 else [])
    assert await names(own) == ["Anna"], "once, though she has joined it herself"


async def test_each_hears_it_once_whatever_is_shared(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    large = await _large(server, ann, bob, members=101)
    small = [await ann.chat(bob) for _ in range(3)]
    client = await bob.joined(large, *small)
    await ann.patch("/users/me", display_name="Anna")
    assert await names(client) == ["Anna"]


@pytest.mark.stores
@pytest.mark.parametrize("action", [moderation.ban, moderation.delete])
async def test_what_follows_in_the_chats_comes_after_it(
    server: Server, action: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the store says who shares a chat with the user only after the user has left it."""
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chats = [await carl.chat(bob), await ann.chat(bob, carl)]
    bobs = await bob.joined(chats[0])
    store = server.chat_app.context.store
    asked, go_on = asyncio.Event(), asyncio.Event()
    sharing = store.chats.sharing

    async def slow(user_id: int, among: Any, **more: Any) -> Any:
        asked.set()
        await go_on.wait()
        return await sharing(user_id, among, **more)

    monkeypatch.setattr(store.chats, "sharing", slow)
    await action(store, "carl")
    await asked.wait()
    if action is moderation.ban:
        await store.chats.remove_member(chats[0], carl.id, carl.id, START)
    await bobs.nothing_more("user_changed", "chat_changed", "chat_removed")
    go_on.set()
    received = [await bobs.next() for _ in range(2)]
    assert received[0]["type"] == "user_changed"
    assert (received[0]["user_id"], received[0]["user"]["active"]) == (carl.id, False)
    assert received[1]["type"] == "chat_changed"


async def test_names_are_limited_and_the_limit_says_when(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann, bob = await server.people("ann", "bob")
    for number in range(10):
        await ann.patch("/users/me", display_name=f"Ann {number}")
    for _ in range(3):
        await ann.patch("/users/me", display_name="Ann 9")  # changes nothing
        answer = await ann.request("PATCH", "/users/me", json={"display_name": "Anna"})
        assert_error(answer, 429, "rate_limited")
        assert answer[1]["error"]["retry_after_ms"] == 360_000
    assert (await ann.get("/users/me"))["display_name"] == "Ann 9"
    await bob.patch("/users/me", display_name="Bobby")
    server.clock.advance(360)
    assert (await ann.patch("/users/me", display_name="Anna"))["display_name"] == "Anna"
    answer = await ann.request("PATCH", "/users/me", json={"display_name": "Annie"})
    assert_error(answer, 429, "rate_limited")


async def test_a_name_that_was_not_changed_after_all_does_not_count(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), name_changes_per_h=1, login_failures_per_min=0)
    ann = await server.person("ann")
    wrong = {"display_name": "Anna", "password": "another password", "old_password": "wrong"}
    for _ in range(3):
        assert_error(await ann.request("PATCH", "/users/me", json=wrong), 403, "forbidden")
        too_long = {"display_name": "x" * 101}
        assert_error(await ann.request("PATCH", "/users/me", json=too_long), 422, "invalid", "display_name")
    await ann.patch("/users/me", display_name="Anna")
    assert (await ann.request("PATCH", "/users/me", json={"display_name": "Annie"}))[0] == 429


async def test_objects_say_whether_an_account_is_active(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl, chat_type="group")
    await moderation.ban(server.chat_app.context.store, "bob")
    await ann.chat(carl, chat_type="private")
    users = {
        one["user"]["id"]: one["user"] for one in (await ann.get(f"/chats/{chat_id}/members"))["members"]
    }
    assert [(users[one.id]["active"], users[one.id]["deleted"]) for one in (ann, bob, carl)] == [
        (True, False),
        (False, False),
        (True, False),
    ]
    assert (await ann.get(f"/users/{bob.id}"))["active"] is False
