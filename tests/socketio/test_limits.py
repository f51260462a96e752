"""Limits count per user, over all gates; they say when to come back, and the connection stays."""

import asyncio
from typing import Any

import pytest

from handlers.context import Caller
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import Serve
from tests.socketio.conftest import Look
from tests.socketio.windows import Window

pytestmark = pytest.mark.parametrize("serve", ["sqlite"], indirect=True)

WIRES = ("raw", "websocket", "polling")

LIMITS: dict[str, tuple[dict[str, float], dict[str, Any]]] = {
    "send_message": ({"messages_per_s": 1, "messages_burst": 3}, {"content": "x"}),
    "join_chat": ({"joins_per_s": 1, "joins_burst": 3}, {}),
    "status": ({"status_per_s": 3}, {"status": "busy"}),
}


async def refused(window: Window, name: str, wish: dict[str, Any]) -> int:
    """In how many milliseconds to come back."""
    error = await window.error(name, wish)
    assert (error["code"], error["retryable"]) == ("rate_limited", True)
    return int(error["retry_after_ms"])


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("name", LIMITS)
async def test_a_user_has_one_limit_for_all_his_connections(
    serve: Serve, look: Look, kind: str, name: str
) -> None:
    settings, fields = LIMITS[name]
    server = await serve(clock=ManualClock(), **settings)
    ann, bob = await server.people("ann", "bob")
    wish = {"chat_id": await ann.chat(bob), **fields}
    first, second, other = await look(kind, ann), await look("raw", ann), await look(kind, bob)
    for window in (first, second, first):
        await window.done(name, **wish)
    for window in (first, second):
        assert 0 < await refused(window, name, wish) <= 1000
    if name == "send_message":
        assert_error(await ann.request("POST", "/messages", json=wish), 429, "rate_limited")
    await other.done(name, **wish)
    wait_ms = await refused(first, name, wish)
    server.clock.advance(wait_ms / 1000)
    await first.done(name, **wish)
    await refused(second, name, wish)
    for window in (first, second, other):
        await window.done("ping")


@pytest.mark.parametrize("kind", WIRES)
async def test_typing_above_the_limit_is_ignored_and_the_connection_stays(
    serve: Serve, look: Look, kind: str
) -> None:
    server = await serve(clock=ManualClock(), typing_per_s=1)
    ann, bob = await server.people("ann", "bob")
    rooms = [await ann.chat(bob), await ann.chat(bob)]
    watcher, typist = await look("raw", bob), await look(kind, ann)
    for chat_id in rooms:
        await watcher.done("join_chat", chat_id=chat_id)
        await typist.done("typing", chat_id=chat_id, is_typing=True)
    signs = [event.payload for event in await watcher.drain() if event.name == "typing"]
    assert [sign["chat_id"] for sign in signs] == rooms[:1]


@pytest.mark.parametrize("kind", WIRES)
async def test_what_is_malformed_counts_nothing(serve: Serve, look: Look, kind: str) -> None:
    server = await serve(clock=ManualClock(), joins_per_s=1, joins_burst=1)
    ann = await server.person("ann")
    window = await look(kind, ann)
    for _ in range(5):
        assert (await window.error("join_chat", {"chat_id": "1"}))["code"] == "invalid"
    await window.done("join_chat", chat_id=await ann.chat())


async def test_a_bot_joins_its_thousand_chats_at_once_with_the_default_limits(serve: Serve) -> None:
    server = await serve()
    bot, ann = await server.people("bot", "ann")
    chat_app = server.chat_app

    async def chat(number: int) -> int:
        wish = {"chat_type": "group", "name": f"Room {number}", "member_ids": [ann.id]}
        created = await chat_app.run(Caller(bot.id, ""), "create_chat", wish)
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
