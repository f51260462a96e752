"""What users choose to be shown as: others see it from the first moment of every connection, or never hear of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from handlers import moderation
from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import OWN_USER, assert_error, fits
from tests.conftest import Serve, Server
from tests.patience import within

PRESENCE = ("user_status", "user_offline")


class Scene:
    """Bob watches Ann over the raw socket, and Carl over Socket.IO, in two chats that they share; time stands still.
    `hers` are Ann's wires."""

    hers = ("raw", "socketio", "polling")

    async def begin(self, serve: Serve) -> "Scene":
        self.server = await serve(clock=ManualClock(), status_per_s=0)
        self.ann, self.bob, self.carl = await self.server.people("ann", "bob", "carl")
        self.carl.wire = "socketio"
        self.chats = [await self.ann.chat(self.bob, self.carl) for _ in range(2)]
        await self.watch()
        return self

    async def watch(self) -> list[list[str]]:
        """Has the watchers join, and returns what each is shown of Ann."""
        self.watchers, shown = [], []
        for person in (self.bob, self.carl):
            client = await person.connect()
            for chat_id in self.chats:
                await client.done("join_chat", chat_id=chat_id)
            self.watchers.append(client)
            shown.append(self.of_ann(client.take()))
        await self.heard()
        return shown

    async def connect(self, wire: str = "raw") -> Client:
        self.ann.wire = wire
        return await self.ann.connect()

    async def choose(self, presence: str) -> Any:
        return await self.ann.patch("/users/me", presence=presence)

    async def heard(self) -> list[list[str]]:
        """What each watcher was sent of Ann since the last call."""
        return [self.of_ann(await client.drain()) for client in self.watchers]

    def of_ann(self, frames: Sequence[dict[str, Any]]) -> list[str]:
        frames = [frame for frame in frames if frame.get("user_id") == self.ann.id]
        return [frame.get("status", "offline") for frame in frames if frame["type"] in PRESENCE]

    async def gone(self, client: Client) -> None:
        """Closes a connection and waits until the server has noticed."""
        connections = self.server.chat_app.context.connections
        left = len(connections) - 1
        await client.close()
        async with within(5):
            while len(connections) > left:
                await asyncio.sleep(0.005)

    async def shown(self) -> set[str]:
        """What REST shows of Ann, wherever it shows her."""
        members = await self.bob.get(f"/chats/{self.chats[0]}/members")
        users = [
            await self.bob.get(f"/users/{self.ann.id}"),
            *(await self.bob.get("/users", q="ann"))["users"],
            *(member["user"] for member in members["members"] if member["user"]["id"] == self.ann.id),
            await self.ann.get("/users/me"),
        ]
        assert ["presence" in user for user in users] == [False, False, False, True]
        return {user["status"] for user in users}

    async def last_seen(self) -> Any:
        return (await self.bob.get(f"/users/{self.ann.id}"))["last_seen_at"]


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    return await Scene().begin(serve)


@pytest.mark.stores
async def test_nobody_hears_of_who_is_hidden_over_reloads_second_devices_and_restarts(scene: Scene) -> None:
    first = await scene.connect()
    assert await scene.heard() == [["online"]] * 2
    await scene.gone(first)
    scene.server.clock.advance(2)
    assert await scene.heard() == [["offline"]] * 2
    async with within(5):
        while (seen_at := await scene.last_seen()) is None:
            await asyncio.sleep(0.005)
    assert fits(await scene.choose("offline"), OWN_USER)
    for restarts in range(2):
        devices = [await scene.connect(wire) for wire in scene.hers]
        await devices[0].done("status", status="busy")
        await devices[1].done("join_chat", chat_id=scene.chats[0])
        for wire in scene.hers:  # each is reloaded, once with and once without another one at the time
            await scene.gone(devices.pop(0))
            devices.append(await scene.connect(wire))
        for device in devices:
            await scene.gone(device)
        await scene.connect()
        scene.server.clock.advance(60)
        assert await scene.heard() == [[], []]
        assert await scene.shown() == {"offline"}
        if restarts == 0:
            await scene.server.restart()
            assert await scene.watch() == [["offline"] * 2] * 2
    await asyncio.sleep(0.05)
    assert await scene.last_seen() == seen_at
    await scene.choose("auto")
    assert await scene.heard() == [["online"]] * 2


@pytest.mark.parametrize("chosen", ["away", "busy"])
async def test_a_choice_is_shown_from_the_first_moment(scene: Scene, chosen: str) -> None:
    assert (await scene.choose(chosen))["presence"] == chosen
    assert (await scene.heard(), await scene.shown()) == ([[], []], {"offline"}), "without a connection"
    for wire in scene.hers:
        client = await scene.connect(wire)
        assert await scene.heard() == [[chosen]] * 2
        for status in ("online", "busy", "away", "offline"):
            await client.done("status", status=status)
        assert (await scene.heard(), await scene.shown()) == ([[], []], {chosen})
        assert await scene.watch() == [[chosen] * 2] * 2
        await scene.gone(client)
        scene.server.clock.advance(1.9)
        assert await scene.heard() == [[], []]
        scene.server.clock.advance(0.1)
        assert await scene.heard() == [["offline"]] * 2


async def test_a_status_is_acked_and_counts_once_it_is_auto(scene: Scene) -> None:
    client, other = await scene.connect(), await scene.connect("socketio")
    await scene.choose("away")
    await client.done("status", status="busy")
    assert await scene.heard() == [["online", "away"]] * 2
    await scene.choose("auto")
    assert await scene.heard() == [["busy"]] * 2
    await scene.choose("offline")
    await other.done("status", status="offline")
    assert await scene.heard() == [["offline"]] * 2
    await scene.choose("auto")
    assert await scene.heard() == [[], []], "the connection has said offline"
    await other.done("status", status="away")
    assert await scene.heard() == [["busy"]] * 2


@pytest.mark.parametrize("wrong", ["", "Auto", "online", "invisible", 1, True, ["auto"], {}])
async def test_another_value_is_invalid_and_changes_nothing(server: Server, wrong: Any) -> None:
    ann = await server.person("ann")
    answer = await ann.request("PATCH", "/users/me", json={"presence": wrong, "display_name": "Anna"})
    assert_error(answer, 422, "invalid", "presence")
    says = answer[1]["error"]["fields"]["presence"]
    is_text = isinstance(wrong, str)
    assert says == ("must be one of auto, away, busy, offline" if is_text else "must be a string")
    assert ((await ann.get("/users/me"))["display_name"], await ann.get("/users/me")) == (
        "ann",
        await ann.patch("/users/me"),
    )


@pytest.mark.stores
@pytest.mark.parametrize("end", [moderation.ban, moderation.delete])
async def test_who_has_ended_is_offline_at_once_and_noted(scene: Scene, end: Any) -> None:
    """Those who share nothing but groups with a deleted user would not hear of it later."""
    client = await scene.connect()
    await scene.choose("busy")
    assert await scene.heard() == [["online", "busy"]] * 2
    await end(scene.server.chat_app.context.store, "ann")
    assert await client.closed() == 4403
    for watcher in scene.watchers:
        frames = [await watcher.next() for _ in range(4)]
        assert [frame["type"] for frame in frames] == ["user_offline", "user_changed"] + ["chat_changed"] * 2
        assert (frames[1]["user"]["active"], frames[1]["user"]["status"]) == (False, "offline")
    scene.server.clock.advance(2)
    assert await scene.heard() == [[], []]
    users = scene.server.chat_app.context.store.users
    async with within(5):
        while (ended := await users.get(scene.ann.id)) is None or ended.last_seen_at is None:
            await asyncio.sleep(0.005)


async def test_who_may_come_again_is_seen_again(scene: Scene) -> None:
    await scene.connect()
    store = scene.server.chat_app.context.store
    await moderation.ban(store, "ann")
    await moderation.unban(store, "ann")
    assert await scene.heard() == [["online", "offline", "online"]] * 2, "the grace time is not over"
    scene.server.clock.advance(2)
    await scene.ann.login("ann")
    await scene.connect()
    assert await scene.heard() == [["offline", "online"]] * 2


async def test_own_connections_see_what_others_see_and_hear_of_the_choice(scene: Scene) -> None:
    joined, outside = await scene.ann.joined(*scene.chats), await scene.connect("socketio")
    await scene.heard()
    user = await scene.choose("busy")
    for client, statuses in ((joined, ["busy"]), (outside, [])):
        frames = await client.drain()
        assert scene.of_ann(frames) == statuses
        (changed,) = [frame for frame in frames if frame["type"] == "user_changed"]
        assert changed["user"] == user
        assert fits(changed["user"], OWN_USER)
        assert (user["presence"], user["status"]) == ("busy", "busy")
    for watcher in scene.watchers:
        assert [frame["type"] for frame in await watcher.drain()] == ["user_status"]
    await scene.choose("busy")
    await scene.ann.patch("/users/me", presence=None)
    for client in (joined, outside, *scene.watchers):
        await client.nothing_more()


async def test_a_name_and_a_presence_can_change_in_one_call(scene: Scene) -> None:
    client = await scene.connect()
    await scene.heard()
    user = await scene.ann.patch("/users/me", display_name="Анна", presence="away")
    assert (user["display_name"], user["presence"], user["status"]) == ("Анна", "away", "away")
    frames = [frame["user"] for frame in await client.drain() if frame["type"] == "user_changed"]
    assert frames[-1] == user
    for watcher in scene.watchers:
        (changed,) = [frame["user"] for frame in await watcher.drain() if frame["type"] == "user_changed"]
        assert changed["display_name"] == "Анна"
        assert "presence" not in changed


async def test_typing_and_marks_of_who_is_hidden_are_told_as_ever(scene: Scene) -> None:
    await scene.choose("offline")
    client = await scene.connect()
    chat_id = scene.chats[0]
    await client.done("join_chat", chat_id=chat_id)
    await scene.bob.say(chat_id, "are you there?")
    await client.done("typing", chat_id=chat_id, is_typing=True)
    await client.done("read_messages", chat_id=chat_id)
    await client.done("send_message", chat_id=chat_id, content="no")
    for watcher in scene.watchers:
        types = [frame["type"] for frame in await watcher.drain()]
        assert types == ["new_message", "typing", "messages_read", "typing", "new_message"]


@pytest.mark.parametrize("value", ["online", "", "OFFLINE", "auto ", 0, 1, True, [], {}, ["away"], "\ud800"])
async def test_anything_else_is_invalid_and_changes_nothing(server: Server, value: Any) -> None:
    ann = await server.person("ann")
    await ann.patch("/users/me", presence="away")
    body = {"presence": value, "display_name": "Other"}
    assert_error(await ann.request("PATCH", "/users/me", json=body), 422, "invalid", "presence")
    user = await ann.get("/users/me")
    assert (user["presence"], user["display_name"]) == ("away", "ann")


async def test_a_hidden_user_who_is_banned_and_comes_back_is_still_hidden(scene: Scene) -> None:
    await scene.choose("offline")
    client = await scene.connect()
    store = scene.server.chat_app.context.store
    await moderation.ban(store, "ann")
    assert await client.closed() == 4403
    assert_error(await scene.ann.request("PATCH", "/users/me", json={"presence": "auto"}), 403, "forbidden")
    await moderation.unban(store, "ann")
    await scene.ann.login("ann")
    await scene.connect()
    scene.server.clock.advance(60)
    assert await scene.heard() == [[], []]
    assert await scene.last_seen() is None


async def test_choosing_while_devices_come_and_go(scene: Scene) -> None:
    """What is told before the choice was acked may be either; after it nothing is."""

    async def reload(wire: str) -> None:
        client = await again.connect()
        await client.done("status", status="busy")
        await client.close()

    for round_ in range(6):
        wire = scene.hers[round_ % 3]
        again = Person(scene.ann.http, scene.ann.url, scene.ann.ws_url, "ann", wire)
        again.token = scene.ann.token
        coming = [asyncio.create_task(reload(wire)) for _ in range(4)]
        await asyncio.sleep(0.003 * round_)
        await scene.choose("offline")
        assert {told[-1:] == [] or told[-1] == "offline" for told in await scene.heard()} == {True}
        await asyncio.gather(*coming)
        kept = await scene.connect(wire)
        assert (await scene.heard(), await scene.shown()) == ([[], []], {"offline"})
        await scene.choose("auto")
        assert await scene.heard() == [["online"]] * 2
        await scene.gone(kept)
        scene.server.clock.advance(2)
        await scene.heard()


async def test_a_choice_counts_as_a_status_if_it_changes_anything(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), status_per_s=1, login_failures_per_min=0)
    ann = await server.person("ann")
    wrong = {"presence": "busy", "password": "another password", "old_password": "wrong"}
    for _ in range(3):
        assert_error(await ann.request("PATCH", "/users/me", json=wrong), 403, "forbidden")
        await ann.patch("/users/me", presence="auto")
    await ann.patch("/users/me", presence="offline")
    await ann.patch("/users/me", presence="offline")
    more = {"presence": "away", "display_name": "Anna"}
    assert_error(await ann.request("PATCH", "/users/me", json=more), 429, "rate_limited")
    me = await ann.get("/users/me")
    assert (me["presence"], me["display_name"]) == ("offline", "ann")
    server.clock.advance(1)
    assert (await ann.patch("/users/me", **more))["presence"] == "away"
