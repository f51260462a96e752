"""Presence: the strongest status of all connections of a user; each change is published once."""

import asyncio
from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.conftest import Serve
from tests.patience import within

PRESENCE = ("user_status", "user_offline")


class Scene:
    """Bob has joined two chats that they share with Ann, who is offline; time stands still."""

    async def set(self, serve: Serve) -> None:
        self.server = await serve(clock=ManualClock(), status_per_s=0)
        self.clock = self.server.clock
        self.ann, self.bob = await self.server.people("ann", "bob")
        self.chats = [await self.ann.chat(self.bob) for _ in range(2)]
        self.bobs = await self.bob.joined(*self.chats)

    async def received(self, client: Client | None = None, *, of: Any = None) -> list[str]:
        """The presence events about Ann (or `of`) that Bob (or `client`) has received since the last call."""
        user_id = (of or self.ann).id
        frames = [frame for frame in await (client or self.bobs).drain() if frame["type"] in PRESENCE]
        return [_status(frame) for frame in frames if frame["user_id"] == user_id]

    async def gone(self, client: Client) -> None:
        """Closes a connection and waits until the server has noticed."""
        left = len(self.server.chat_app.context.connections) - 1
        await client.close()
        async with within(5):
            while len(self.server.chat_app.context.connections) > left:
                await asyncio.sleep(0.005)


def _status(frame: dict[str, Any]) -> str:
    if frame["type"] == "user_offline":
        assert frame.keys() == {"type", "user_id", "timestamp"}
        return "offline"
    assert frame.keys() == {"type", "user_id", "status", "timestamp"}
    return str(frame["status"])


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    scene = Scene()
    await scene.set(serve)
    return scene


async def test_coming_and_going_is_published_once_whatever_the_number_of_chats(scene: Scene) -> None:
    client = await scene.ann.connect()
    assert await scene.received() == ["online"]
    await scene.gone(client)
    scene.clock.advance(1.9)
    assert await scene.received() == []
    scene.clock.advance(0.1)
    assert await scene.received() == ["offline"]
    scene.clock.advance(60)
    assert await scene.received() == []


async def test_a_page_reload_is_silent(scene: Scene) -> None:
    client = await scene.ann.connect()
    assert await scene.received() == ["online"]
    for _ in range(3):
        await scene.gone(client)
        scene.clock.advance(1.9)
        client = await scene.ann.connect()
    scene.clock.advance(60)
    assert await scene.received() == []


async def test_a_status_is_per_connection_and_the_strongest_is_seen(scene: Scene) -> None:
    one, two = await scene.ann.connect(), await scene.ann.connect()
    assert await scene.received() == ["online"]
    for client, status, received in (
        (one, "away", []),
        (two, "away", ["away"]),
        (one, "online", ["online"]),
        (two, "busy", ["busy"]),
        (one, "busy", []),
        (two, "online", []),
        (one, "away", ["online"]),
        (one, "away", []),
    ):
        await client.done("status", status=status)
        assert await scene.received() == received, status
    await scene.gone(two)
    assert await scene.received() == ["away"]


async def test_a_reloaded_page_comes_back_as_online(scene: Scene) -> None:
    client = await scene.ann.connect()
    await client.done("status", status="away")
    assert await scene.received() == ["online", "away"]
    await scene.gone(client)
    assert await scene.received() == []
    await scene.ann.connect()
    assert await scene.received() == ["online"]


async def test_offline_counts_for_all_connections(scene: Scene) -> None:
    one, two = await scene.ann.connect(), await scene.ann.connect()
    await one.done("status", status="offline")
    await two.done("status", status="offline")
    assert await scene.received() == ["online", "offline"]
    await two.done("status", status="away")
    # The other connection has only ever set offline, so nothing changes.
    assert await scene.received() == ["online"]
    await one.done("status", status="offline")
    assert await scene.received() == ["offline"]
    await scene.ann.connect()
    assert await scene.received() == ["online"], "a new connection ends it"


async def test_who_appears_offline_goes_without_a_word(scene: Scene) -> None:
    client = await scene.ann.connect()
    await client.done("status", status="offline")
    assert await scene.received() == ["online", "offline"]
    await scene.gone(client)
    scene.clock.advance(60)
    assert await scene.received() == []


async def test_the_users_own_connections_hear_it_too(scene: Scene) -> None:
    client = await scene.ann.joined(*scene.chats)
    await client.done("status", status="busy")
    assert await scene.received(client) == ["busy"]


async def test_a_join_shows_every_other_member(scene: Scene) -> None:
    carl, dora = await scene.server.people("carl", "dora")
    chat_id = await scene.ann.chat(scene.bob, carl, dora)
    carls = await carl.connect()
    await carls.done("status", status="busy")
    doras = await dora.connect()
    await scene.gone(doras)  # in her grace time
    anns = await scene.ann.connect()
    await anns.done("join_chat", chat_id=chat_id)
    frames = [frame for frame in anns.take() if frame["type"] in PRESENCE]
    assert {frame["user_id"]: _status(frame) for frame in frames} == {
        scene.bob.id: "online",
        carl.id: "busy",
        dora.id: "online",
    }
    assert len(frames) == 3
    scene.clock.advance(2)
    await anns.done("leave_chat", chat_id=chat_id)
    await anns.drain()
    await anns.done("join_chat", chat_id=chat_id)
    assert [_status(frame) for frame in anns.take() if frame.get("user_id") == dora.id] == ["offline"]


async def test_strangers_and_those_who_have_not_joined_hear_nothing(scene: Scene) -> None:
    eve = await scene.server.person("eve")
    eves, second = await eve.joined(await eve.chat()), await scene.bob.connect()
    await scene.ann.connect()
    assert await scene.received() == ["online"]
    assert await scene.received(eves) == []
    assert await scene.received(second) == []


async def test_a_chat_of_100_carries_presence_and_one_of_101_does_not(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), auth_calls_per_min=0)
    ann, bob = await server.people("ann", "bob")
    others = [(await ann.register(f"user{number}"))["id"] for number in range(99)]
    body = {"name": "Crowd", "chat_type": "group", "member_ids": [bob.id, *others[:98]]}
    chat_id = (await ann.post("/chats", **body))["id"]
    bobs = await bob.connect()
    await bobs.done("join_chat", chat_id=chat_id)
    assert len([frame for frame in bobs.take() if frame["type"] in PRESENCE]) == 99
    client = await ann.connect()
    assert (await bobs.next())["status"] == "online"
    await ann.post(f"/chats/{chat_id}/members", user_id=others[98])
    await bobs.drain()
    await client.done("status", status="busy")
    await bobs.nothing_more(*PRESENCE)
    await bobs.done("leave_chat", chat_id=chat_id)
    await bobs.done("join_chat", chat_id=chat_id)
    await bobs.nothing_more(*PRESENCE)


async def test_rest_shows_the_same(scene: Scene) -> None:
    async def shown() -> tuple[str, bool]:
        user = await scene.bob.get(f"/users/{scene.ann.id}")
        return user["status"], user["last_seen_at"] is not None

    assert await shown() == ("offline", False)
    client = await scene.ann.connect()
    assert (await shown())[0] == "online"
    await client.done("status", status="busy")
    assert (await shown())[0] == "busy"
    await scene.gone(client)
    assert (await shown())[0] == "busy", "the grace time counts as still there"
    scene.clock.advance(2)
    async with within(5):
        while await shown() != ("offline", True):
            await asyncio.sleep(0.005)


async def test_a_status_too_often_is_rate_limited(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    client = await (await server.person("ann")).connect()
    answers = [await client.command("status", status="away") for _ in range(12)]
    assert [frame["type"] for frame in answers] == ["ack"] * 10 + ["error"] * 2
    assert answers[-1]["code"] == "rate_limited"
    server.clock.advance(1)
    await client.done("status", status="online")
