"""Limits: what one account can ask of the server with the default settings, and that normal use meets no limit."""

import asyncio
import time
from typing import Any

import pytest

from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server

pytestmark = pytest.mark.stores("sqlite")


async def crowd(server: Server, number: int) -> list[int]:
    """Creates `number` users in the store and returns their ids."""
    store, now = server.chat_app.context.store, server.chat_app.context.clock.now()
    users = [
        await store.users.create(
            username=f"user{index}", display_name="x", email=None, password_hash="", created_at=now
        )
        for index in range(number)
    ]
    return [user.id for user in users]


async def times(number: int, person: Person, method: str, path: str, **body: Any) -> int:
    """How many of `number` equal calls succeed before the first is refused with a `retry_after_ms`."""
    for done in range(number):
        status, answer = await person.request(method, path, **({"json": body} if body else {}))
        if status == 429:
            assert_error((status, answer), 429, "rate_limited")
            return done
        assert status < 300, answer
    return number


async def test_large_groups_cost_more_than_small_ones(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), changes_burst=510)
    ann, bob = await server.people("ann", "bob")
    everybody = await crowd(server, 1000)
    made = await times(20, ann, "POST", "/chats", name="x", chat_type="group", member_ids=everybody)
    assert made == 10, "51 tokens each"
    small = {"name": "x", "chat_type": "group", "member_ids": everybody[:3]}
    assert await times(100, bob, "POST", "/chats", **small) == 100


async def test_a_search_in_public_chats_counts_by_how_many_the_store_may_look_at(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), queries_burst=401, queries_per_s=1)
    ann, bob = await server.people("ann", "bob")
    assert await times(20, ann, "GET", "/chats/public?q=x") == 10, "41 tokens each"
    assert await times(100, bob, "GET", "/chats/public") == 100


async def test_a_change_counts_by_how_many_receive_it(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), changes_burst=100, changes_per_s=1)
    ann = await server.person("ann")
    everybody = await crowd(server, 600)
    large = (await ann.post("/chats", name="x", chat_type="group", member_ids=everybody[:399]))["id"]
    server.clock.advance(1000)
    assert await times(100, ann, "PATCH", f"/chats/{large}", name="y") == 34, "3 tokens each"
    server.clock.advance(1000)
    adding = [
        await ann.request("POST", f"/chats/{large}/members", json={"user_id": one}) for one in everybody[399:]
    ]
    assert [status for status, _ in adding].count(201) in range(32, 36)
    server.clock.advance(1000)
    path = f"/chats/{large}/members/{everybody[0]}"
    assert await times(100, ann, "PATCH", path, role="admin") in range(32, 36)
    server.clock.advance(1000)
    small = (await ann.post("/chats", name="x", chat_type="group", member_ids=[]))["id"]
    assert 90 < await times(100, ann, "PATCH", f"/chats/{small}", name="z") < 100


async def test_pages_count_by_what_is_in_them(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), queries_burst=50, queries_per_s=1, messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    for _ in range(100):
        await ann.say(chat_id, "x")
    path = f"/chats/{chat_id}/messages"
    assert await times(100, ann, "GET", f"{path}?limit=100") == 17, "3 tokens each"
    server.clock.advance(100)
    assert await times(100, ann, "GET", f"{path}?limit=1") == 49
    for other in ("/chats", "/users", "/users/me", f"/chats/{chat_id}", f"/chats/{chat_id}/members"):
        assert_error(await ann.request("GET", other), 429, "rate_limited")
    server.clock.advance(1.5)
    await ann.get("/users/me")


async def test_a_history_counts_by_what_is_in_it(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), queries_burst=50, queries_per_s=1, messages_per_s=0)
    ann = await server.person("ann")
    message = await ann.say(await ann.chat(), "first")
    path = f"/messages/{message['id']}/history"
    assert await times(60, ann, "GET", path) == 50
    for number in range(20):
        await ann.patch(f"/messages/{message['id']}", content=f"{number:02}" + "x" * 9998)
    server.clock.advance(100)
    assert await times(60, ann, "GET", path) == 5, "11 tokens each: one, and ten for 200,000 characters"


async def test_typing_above_its_limit_is_ignored_without_a_look_into_the_store(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve(clock=ManualClock())
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client, bobs = await ann.connect(), await bob.joined(chat_id)
    reads: list[int] = []
    load = server.chat_app.context.store.chats.load

    async def counted(chat: int) -> Any:
        reads.append(chat)
        return await load(chat)

    monkeypatch.setattr(server.chat_app.context.store.chats, "load", counted)
    answers = [await client.command("typing", chat_id=10_000 + n, is_typing=bool(n % 2)) for n in range(100)]
    assert [answer["type"] for answer in answers] == ["error"] * 10 + ["ack"] * 90
    assert len(reads) == 10
    await client.done("typing", chat_id=chat_id, is_typing=True)
    await bobs.nothing_more()
    server.clock.advance(1)
    await client.done("typing", chat_id=chat_id, is_typing=True)
    assert (await bobs.next("typing"))["is_typing"] is True
    for n in range(20):
        await client.command("typing", chat_id=10_000 + n, is_typing=True)
    await client.done("typing", chat_id=chat_id, is_typing=False)
    assert (await bobs.next("typing"))["is_typing"] is False, "typing that is shown ends above the limit, too"


async def test_a_busy_day_of_honest_people_meets_no_limit(serve: Serve) -> None:
    server = await serve()
    ann, bob = await server.people("ann", "bob")
    started = time.monotonic()
    chat_ids = await asyncio.gather(*(ann.chat(bob, name=f"{number}") for number in range(50)))
    clients = [await ann.joined(*chat_ids), await bob.joined(*chat_ids)]
    for chat_id in chat_ids:
        await ann.say(chat_id, "hi")
        await clients[1].done("read_messages", chat_id=chat_id)
        for path in ("", "/messages", "/members"):
            await bob.get(f"/chats/{chat_id}{path}")
        await ann.patch(f"/chats/{chat_id}", name="new")
        await bob.get("/users", q="a")
    assert time.monotonic() - started < 60


async def test_joins_and_leaves_of_large_chats_are_published_once_a_second(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann, bob = await server.people("ann", "bob")
    everybody = await crowd(server, 120)
    chat_id = (await ann.post("/chats", name="x", chat_type="group", member_ids=[bob.id, *everybody[:96]]))[
        "id"
    ]
    bobs = await bob.connect()

    async def counts() -> list[int]:
        return [
            frame["chat"]["member_count"] for frame in await bobs.drain() if frame["type"] == "chat_changed"
        ]

    for user_id in everybody[96:98]:
        await ann.post(f"/chats/{chat_id}/members", user_id=user_id)
    assert await counts() == [99, 100]
    for user_id in everybody[98:110]:
        await ann.post(f"/chats/{chat_id}/members", user_id=user_id)
    await ann.delete(f"/chats/{chat_id}/members/{everybody[0]}")
    assert await counts() == [101]
    await ann.patch(f"/chats/{chat_id}", name="y")
    assert await counts() == [111], "a new name is published at once"
    server.clock.advance(1)
    assert await counts() == [111]
    server.clock.advance(5)
    assert await counts() == []
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    assert [frame["type"] for frame in await bobs.drain()] == ["chat_removed"], "the removed member, at once"
