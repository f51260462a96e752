"""Changes during a replay. The tests make them between the read of the store and the sending of what was read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.clients.numbered import NUMBERED_EVENTS
from tests.conftest import Serve, Server
from tests.patience import within

pytestmark = [pytest.mark.wires, pytest.mark.stores]

Happening = Callable[[], Awaitable[Any]]


class Scene:
    """Ann has said three things; Bob is about to catch up, on a connection that has joined or has not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    async def set(self, server: Server) -> None:
        self.server = server
        self.ann, self.bob = await server.people("ann", "bob")
        self.chat_id = await self.ann.chat(self.bob)
        self.ids = [(await self.ann.say(self.chat_id, str(number)))["id"] for number in range(3)]
        self.bobs = await self.bob.connect()

    def meanwhile(self, *happenings: Happening) -> None:
        """After each read of the store for a replay, one of these happens before the read returns."""
        messages = type(self.server.chat_app.context.store.messages)
        read, left = messages.changed_since, list(happenings)

        async def changed_since(*args: Any, **options: Any) -> Any:
            found = await read(*args, **options)
            if left:
                await left.pop(0)()
            return found

        self._monkeypatch.setattr(messages, "changed_since", changed_since)

    async def recover(self, after_seq: int) -> tuple[dict[str, Any], list[tuple[str, int]]]:
        """The answer, and type and seq of the changes that came before it."""
        answer = await self.bobs.command("join_chat", chat_id=self.chat_id, after_seq=after_seq)
        return answer, _changes(self.bobs.take())

    async def assert_live_from(self, head_seq: int) -> None:
        await self.ann.say(self.chat_id, "live")
        frames = _changes(await self.bobs.drain())
        assert frames == [("new_message", head_seq + 1)]


def _changes(frames: list[Any]) -> list[tuple[str, int]]:
    return [(frame["type"], frame["seq"]) for frame in frames if frame["type"] in NUMBERED_EVENTS]


@pytest.fixture
async def scene(server: Server, monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene(monkeypatch)
    await scene.set(server)
    return scene


@pytest.mark.parametrize("joined", [False, True])
async def test_a_new_message_is_replayed_once(scene: Scene, joined: bool) -> None:
    """On a joined connection too: its live events are held until the replay is out."""
    if joined:
        await scene.bobs.done("join_chat", chat_id=scene.chat_id)
    scene.meanwhile(lambda: scene.ann.say(scene.chat_id, "meanwhile"))
    ack, frames = await scene.recover(1)
    assert frames == [("new_message", seq) for seq in (2, 3, 4)]
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (4, 3, False)
    await scene.assert_live_from(4)


async def test_what_changes_after_it_was_replayed_is_replayed_again_as_an_update(scene: Scene) -> None:
    first, second = (f"/messages/{message_id}" for message_id in scene.ids[1:])
    scene.meanwhile(
        lambda: scene.ann.patch(first, content="edited"),
        lambda: scene.ann.delete(second),
        lambda: scene.ann.patch(first, content="edited again"),
    )
    ack, frames = await scene.recover(1)
    assert frames == [
        ("new_message", 2),
        ("new_message", 3),
        ("message_updated", 4),
        ("message_deleted", 5),
        ("message_updated", 6),
    ]
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (6, 5, False)
    await scene.assert_live_from(6)


async def test_more_than_500_in_a_later_pass_leave_a_gap(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(monkeypatch)
    await scene.set(await serve(messages_per_s=0))
    writer = await scene.ann.connect()

    async def much() -> None:
        for number in range(501):
            frame = {"type": "send_message", "chat_id": scene.chat_id, "content": "x", "id": number}
            await writer.send(frame)
        await writer.answer_to(500)

    scene.meanwhile(much)
    ack, frames = await scene.recover(0)
    assert frames == [("new_message", seq) for seq in (1, 2, 3)]
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (504, 3, True)
    await scene.assert_live_from(504)


@pytest.mark.parametrize("how", ["removed", "left", "chat deleted"])
async def test_who_is_no_longer_a_member_gets_nothing_more(scene: Scene, how: str) -> None:
    path = f"/chats/{scene.chat_id}"
    scene.meanwhile(
        {
            "removed": lambda: scene.ann.delete(f"{path}/members/{scene.bob.id}"),
            "left": lambda: scene.bob.delete(f"{path}/members/{scene.bob.id}"),
            "chat deleted": lambda: scene.ann.delete(path),
        }[how]
    )
    answer, frames = await scene.recover(0)
    assert (answer["code"], frames) == ("not_found", [])
    if how != "chat deleted":
        await scene.ann.say(scene.chat_id, "among us")
    await scene.bobs.nothing_more()


async def test_who_was_removed_and_came_back_is_in_the_room(scene: Scene) -> None:
    members = f"/chats/{scene.chat_id}/members"

    async def out_and_in() -> None:
        await scene.ann.delete(f"{members}/{scene.bob.id}")
        await scene.ann.post(members, user_id=scene.bob.id)

    scene.meanwhile(out_and_in)
    ack, frames = await scene.recover(0)
    assert (ack["head_seq"], frames) == (3, [("new_message", seq) for seq in (1, 2, 3)])
    await scene.assert_live_from(3)


async def test_whose_session_ended_gets_nothing_more(scene: Scene) -> None:
    scene.meanwhile(lambda: scene.bob.request("POST", "/auth/logout"))
    await scene.bobs.send({"type": "join_chat", "chat_id": scene.chat_id, "after_seq": 0})
    assert await scene.bobs.closed() == 4403
    with pytest.raises(ConnectionError):
        await scene.bobs.next("new_message")
    await scene.ann.say(scene.chat_id, "among us")


@pytest.mark.wires("raw", "socketio")  # only the heartbeat notices that a polling client is gone
async def test_a_connection_that_drops_is_in_no_room_afterwards(scene: Scene) -> None:
    async def cut() -> None:
        scene.bobs.cut()

    scene.meanwhile(cut)
    await scene.bobs.send({"type": "join_chat", "chat_id": scene.chat_id, "after_seq": 0})
    context = scene.server.chat_app.context
    async with within(5):
        while len(context.connections):
            await asyncio.sleep(0.005)
    chat = context.directory.peek(scene.chat_id)
    assert chat is not None
    assert chat.joined == {}
    await scene.ann.say(scene.chat_id, "live")
    again = await scene.bob.joined(scene.chat_id)
    await again.nothing_more()
