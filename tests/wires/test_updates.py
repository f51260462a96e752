"""`chat_updated`: what members receive of chats they have not joined."""

from typing import Any

import pytest

from storage.errors import Unavailable
from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import is_time
from tests.conftest import Serve, Server

pytestmark = pytest.mark.wires


class Scene:
    """A chat of Ann, who has joined it with one connection, and Bob, who is connected and has not."""

    async def set(self, serve: Serve) -> None:
        self.server: Server = await serve(clock=ManualClock(), messages_per_s=0)
        self.clock = self.server.clock
        self.ann, self.bob = await self.server.people("ann", "bob")
        self.chat_id = await self.ann.chat(self.bob)
        self.anns = await self.ann.joined(self.chat_id)
        self.bobs = await self.bob.connect()
        self.reads: list[list[int]] = []

    def watch_reads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Records from now on for which users the store is asked."""
        chats = self.server.chat_app.context.store.chats
        preview = chats.preview

        async def watched(chat_id: int, user_ids: Any) -> Any:
            self.reads.append(sorted(user_ids))
            return await preview(chat_id, user_ids)

        monkeypatch.setattr(chats, "preview", watched)

    async def received(self, client: Client) -> tuple[Any, int, int]:
        update = await client.update()
        assert update["chat_id"] == self.chat_id
        return update["last_message"], update["unread_count"], update["head_seq"]


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    scene = Scene()
    await scene.set(serve)
    return scene


async def test_who_has_not_joined_hears_at_once(scene: Scene) -> None:
    anns_other = await scene.ann.connect()
    message = await scene.ann.say(scene.chat_id, "hi")
    update = await scene.bobs.update()
    assert update.keys() == {
        "type",
        "chat_id",
        "last_message",
        "unread_count",
        "unread_mentions",
        "read_seq",
        "head_seq",
        "timestamp",
    }
    assert is_time(update["timestamp"])
    assert (update["chat_id"], update["last_message"]) == (scene.chat_id, message)
    assert (update["unread_count"], update["read_seq"], update["head_seq"]) == (1, 0, 1)
    assert await scene.received(anns_other) == (message, 0, 1), "one's own message is not unread"
    assert await scene.anns.updates() == []


async def test_at_most_once_a_second_and_the_last_state_always(scene: Scene) -> None:
    await scene.ann.say(scene.chat_id, "0")
    assert (await scene.received(scene.bobs))[1:] == (1, 1)
    for number in range(1, 5):
        last = await scene.ann.say(scene.chat_id, str(number))
    scene.clock.advance(0.9)
    assert await scene.bobs.updates() == []
    scene.clock.advance(0.1)
    assert await scene.received(scene.bobs) == (last, 5, 5)
    scene.clock.advance(1)
    assert await scene.bobs.updates() == []
    last = await scene.ann.say(scene.chat_id, "after a while")
    assert await scene.received(scene.bobs) == (last, 6, 6), "at once again"


async def test_edits_and_deletions_are_changes_too(scene: Scene) -> None:
    first = await scene.ann.say(scene.chat_id, "first")
    await scene.bobs.update()
    edited = await scene.ann.patch(f"/messages/{first['id']}", content="edited")
    scene.clock.advance(1)
    assert await scene.received(scene.bobs) == (edited, 1, 2)
    await scene.ann.delete(f"/messages/{first['id']}")
    scene.clock.advance(1)
    assert await scene.received(scene.bobs) == (None, 0, 3)


async def test_reading_reaches_ones_own_other_connections_alone(scene: Scene) -> None:
    phone = await scene.bob.joined(scene.chat_id)
    anns_other = await scene.ann.connect()
    message = await scene.ann.say(scene.chat_id, "hi")
    assert await scene.received(scene.bobs) == (message, 1, 1)
    await anns_other.update()
    scene.clock.advance(1)
    await phone.done("read_messages", chat_id=scene.chat_id)
    assert await scene.received(scene.bobs) == (message, 0, 1)
    for client in (anns_other, phone, scene.anns):
        assert await client.updates() == []
    scene.clock.advance(1)
    await phone.done("read_messages", chat_id=scene.chat_id)
    assert await scene.bobs.updates() == [], "the mark did not move"


async def test_a_removed_member_hears_nothing_more(scene: Scene) -> None:
    await scene.ann.say(scene.chat_id, "hi")
    await scene.bobs.update()
    await scene.ann.say(scene.chat_id, "not for Bob")
    await scene.ann.delete(f"/chats/{scene.chat_id}/members/{scene.bob.id}")
    anns_other = await scene.ann.connect()
    scene.clock.advance(1)
    assert (await scene.received(anns_other))[1:] == (0, 2)
    assert await scene.bobs.updates() == []


async def test_a_removal_during_the_read_counts_before_the_event(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    chats = scene.server.chat_app.context.store.chats
    preview = chats.preview

    async def slow(chat_id: int, user_ids: Any) -> Any:
        found = await preview(chat_id, user_ids)
        if scene.bob.id in user_ids:
            await scene.ann.delete(f"/chats/{chat_id}/members/{scene.bob.id}")
        return found

    monkeypatch.setattr(chats, "preview", slow)
    anns_other = await scene.ann.connect()
    await scene.ann.say(scene.chat_id, "hi")
    await anns_other.update()
    assert [frame["type"] for frame in await scene.bobs.drain()] == ["chat_removed"]
    assert await scene.bobs.updates() == []


async def test_a_deleted_chat_is_not_updated(scene: Scene) -> None:
    await scene.ann.say(scene.chat_id, "hi")
    await scene.bobs.update()
    await scene.ann.say(scene.chat_id, "gone in a moment")
    await scene.ann.delete(f"/chats/{scene.chat_id}")
    scene.clock.advance(1)
    assert await scene.bobs.updates() == []


async def test_joining_ends_it_and_leaving_begins_it(scene: Scene) -> None:
    await scene.ann.say(scene.chat_id, "0")
    await scene.bobs.update()
    await scene.bobs.done("join_chat", chat_id=scene.chat_id)
    await scene.ann.say(scene.chat_id, "1")
    scene.clock.advance(1)
    assert await scene.bobs.updates() == []
    await scene.bobs.done("leave_chat", chat_id=scene.chat_id)
    last = await scene.ann.say(scene.chat_id, "2")
    scene.clock.advance(1)
    assert await scene.received(scene.bobs) == (last, 3, 3)


async def test_a_chat_that_all_have_joined_costs_no_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.bobs.done("join_chat", chat_id=scene.chat_id)
    await (await scene.server.person("eve")).connect()
    scene.watch_reads(monkeypatch)
    for _ in range(3):
        await scene.ann.say(scene.chat_id, "hi")
        scene.clock.advance(1)
        await scene.anns.drain()
    assert scene.reads == []


@pytest.mark.stores
async def test_each_member_has_their_own_count_out_of_one_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"user{number}" for number in range(5)]
    people: list[Person] = await scene.server.people(*names, "away")
    for person in people:
        await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=person.id)
    clients = [await person.connect() for person in people[:-1]]
    messages = [await scene.ann.say(scene.chat_id, str(number)) for number in range(5)]
    for client in clients:
        await client.update()
    for person, message in zip(people[:-1], messages, strict=True):
        await person.post(f"/chats/{scene.chat_id}/read", up_to=message["id"])
    scene.watch_reads(monkeypatch)
    last = await scene.ann.say(scene.chat_id, "5")
    scene.clock.advance(1)
    for unread, client in zip((5, 4, 3, 2, 1), clients, strict=True):
        received = [await client.update(), *await client.updates()][-1]
        assert (received["last_message"], received["unread_count"], received["head_seq"]) == (last, unread, 6)
    assert scene.reads == [sorted([scene.bob.id, *(person.id for person in people[:-1])])]


async def test_what_the_store_could_not_say_comes_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    chats = scene.server.chat_app.context.store.chats

    async def lost(chat_id: int, user_ids: Any) -> Any:
        raise Unavailable("lost")

    with monkeypatch.context() as patch:
        patch.setattr(chats, "preview", lost)
        message = await scene.ann.say(scene.chat_id, "hi")
        assert await scene.bobs.updates() == []
    scene.clock.advance(1)
    assert await scene.received(scene.bobs) == (message, 1, 1)


async def test_strangers_and_other_chats_hear_nothing(scene: Scene) -> None:
    eve = await scene.server.person("eve")
    other = await eve.chat(scene.bob)
    eves = await eve.joined(other)
    await scene.ann.say(scene.chat_id, "hi")
    await scene.bobs.update()
    assert await eves.updates() == []
    assert await scene.bobs.updates() == []
