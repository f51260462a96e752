"""Limits count per user, over all wires together; an error says when to come back, and the connection stays."""

import asyncio
from typing import Any

import pytest

from handlers.context import Caller
from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import assert_error, assert_error_frame
from tests.conftest import Serve

pytestmark = pytest.mark.wires

LIMITS: dict[str, tuple[dict[str, float], dict[str, Any]]] = {
    "send_message": ({"messages_per_s": 1, "messages_burst": 3}, {"content": "x"}),
    "join_chat": ({"joins_per_s": 1, "joins_burst": 3}, {}),
    "status": ({"status_per_s": 3}, {"status": "busy"}),
}


async def refused(client: Client, name: str, params: dict[str, Any]) -> int:
    """The milliseconds after which the error says to come back; without an id the error is the same."""
    error = await client.command(name, **params)
    assert_error_frame(error, "rate_limited", id=error["id"])
    await client.send({"type": name, **params})
    assert_error_frame(await client.next("error"), "rate_limited")
    return int(error["retry_after_ms"])


@pytest.mark.parametrize("name", LIMITS)
async def test_a_user_has_one_limit_for_all_their_connections(serve: Serve, name: str) -> None:
    settings, fields = LIMITS[name]
    server = await serve(clock=ManualClock(), **settings)
    ann, bob = await server.people("ann", "bob")
    params = {"chat_id": await ann.chat(bob), **fields}
    first, second, other = await ann.connect(), await ann.open_raw(), await bob.connect()
    for client in (first, second, first):
        await client.done(name, **params)
    for client in (first, second):
        assert 0 < await refused(client, name, params) <= 1000
    if name == "send_message":
        assert_error(await ann.request("POST", "/messages", json=params), 429, "rate_limited")
    await other.done(name, **params)
    wait_ms = await refused(first, name, params)
    server.clock.advance(wait_ms / 1000)
    await first.done(name, **params)
    await refused(second, name, params)
    for client in (first, second, other):
        await client.done("ping")


async def test_typing_above_the_limit_is_ignored_and_the_connection_stays(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), typing_per_s=1)
    ann, bob = await server.people("ann", "bob")
    chat_ids = [await ann.chat(bob), await ann.chat(bob)]
    watcher, typist = await bob.connect(), await ann.connect()
    for chat_id in chat_ids:
        await watcher.done("join_chat", chat_id=chat_id)
        await typist.done("typing", chat_id=chat_id, is_typing=True)
    typing = [frame["chat_id"] for frame in await watcher.drain() if frame["type"] == "typing"]
    assert typing == chat_ids[:1]


async def test_what_is_malformed_counts_nothing(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), joins_per_s=1, joins_burst=1)
    ann = await server.person("ann")
    client = await ann.connect()
    for _ in range(5):
        assert (await client.command("join_chat", chat_id="1"))["code"] == "invalid"
    await client.done("join_chat", chat_id=await ann.chat())


async def test_marks_and_unknown_events_count(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), marks_burst=5, queries_burst=5)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    for name, fields, usual in (("read_messages", {"chat_id": chat_id}, "ack"), ("nonsense", {}, "error")):
        answers = [await client.command(name, **fields) for _ in range(6)]
        assert [answer["type"] for answer in answers[:5]] == [usual] * 5
        assert_error_frame(answers[5], "rate_limited", id=answers[5]["id"])
    assert answers[0]["code"] == "unknown_event"
    for _ in range(20):
        await client.done("ping")
        await client.done("leave_chat", chat_id=chat_id)


@pytest.mark.wires("raw")
async def test_a_bot_joins_its_thousand_chats_at_once_with_the_default_limits(serve: Serve) -> None:
    server = await serve()
    bot, ann = await server.people("bot", "ann")
    chat_app = server.chat_app

    async def chat(number: int) -> int:
        params = {"chat_type": "group", "name": f"Room {number}", "member_ids": [ann.id]}
        created = await chat_app.run(Caller(bot.id, ""), "create_chat", params)
        return int(created["chat"]["id"])

    chat_ids = await asyncio.gather(*map(chat, range(1000)))
    client = await bot.connect()
    for again in range(2):  # it came back after a drop
        for chat_id in chat_ids:
            await client.send(
                {"type": "join_chat", "chat_id": chat_id, "after_seq": 0, "id": again * 10_000 + chat_id}
            )
        answers = [await client.answer_to(again * 10_000 + chat_id) for chat_id in chat_ids]
        assert {answer["type"] for answer in answers} == {"ack"}
    await client.drain()
    for chat_id in (chat_ids[0], chat_ids[-1]):
        await ann.say(chat_id, "hello")
        assert (await client.next("new_message"))["chat_id"] == chat_id


@pytest.mark.wires("raw")
async def test_a_join_again_and_again_is_limited(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann: Person = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    for number in range(2001):
        await client.send({"type": "join_chat", "chat_id": chat_id, "id": number})
    answers = [await client.answer_to(number) for number in range(2001)]
    assert [answer["type"] for answer in answers] == ["ack"] * 2000 + ["error"]
    assert answers[-1]["retry_after_ms"] == 20
