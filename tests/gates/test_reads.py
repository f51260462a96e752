"""Read marks: they move forward only, and the room receives an event only when a mark moves."""

from typing import Any

import pytest

from tests.clients.shapes import assert_error, assert_error_frame
from tests.conftest import Serve, Server


class Scene:
    """Ann has sent five messages; both have joined, and their inboxes are empty."""

    ann: Any
    bob: Any
    anns: Any
    bobs: Any
    chat_id: int
    messages: list[Any]

    async def unread(self, person: Any) -> int:
        return int((await person.get(f"/chats/{self.chat_id}"))["unread_count"])


@pytest.fixture
async def scene(server: Server) -> Scene:
    scene = Scene()
    scene.ann, scene.bob = await server.people("ann", "bob")
    scene.chat_id = await scene.ann.chat(scene.bob)
    scene.messages = [await scene.ann.say(scene.chat_id, str(number)) for number in range(5)]
    scene.anns, scene.bobs = await scene.ann.joined(scene.chat_id), await scene.bob.joined(scene.chat_id)
    await scene.anns.drain()
    return scene


async def test_reading_moves_the_mark_to_the_newest_and_the_room_gets_it_once(scene: Scene) -> None:
    newest = scene.messages[-1]["id"]
    ack = await scene.bobs.done("read_messages", chat_id=scene.chat_id)
    assert ack.keys() == {
        "type",
        "id",
        "ok",
        "chat_id",
        "up_to",
        "read_seq",
        "unread_count",
        "unread_mentions",
    }
    assert (ack["up_to"], ack["read_seq"], ack["unread_count"]) == (newest, 5, 0)
    for client in (scene.anns, scene.bobs):
        received = await client.next()
        assert received.keys() == {"type", "chat_id", "user_id", "timestamp", "up_to", "read_seq"}
        assert (received["type"], received["user_id"]) == ("messages_read", scene.bob.id)
        assert (received["up_to"], received["read_seq"]) == (newest, 5)
    assert (await scene.bobs.done("read_messages", chat_id=scene.chat_id))["up_to"] == newest
    await scene.anns.nothing_more()
    await scene.bobs.nothing_more()
    assert (await scene.bob.get(f"/chats/{scene.chat_id}"))["last_read_message_id"] == newest
    members = (await scene.ann.get(f"/chats/{scene.chat_id}/members"))["members"]
    assert [member["last_read_message_id"] for member in members] == [None, newest]
    assert [member["read_seq"] for member in members] == [0, 5]


async def test_up_to_moves_the_mark_that_far_and_never_back(scene: Scene) -> None:
    ids = [message["id"] for message in scene.messages]
    received = []
    for up_to, mark, unread in ((2, 2, 2), (1, 2, 2), (2, 2, 2), (3, 3, 1), (0, 3, 1)):
        ack = await scene.bobs.done("read_messages", chat_id=scene.chat_id, up_to=ids[up_to])
        assert (ack["up_to"], ack["unread_count"]) == (ids[mark], unread)
        received += [frame["up_to"] for frame in await scene.anns.drain()]
    assert received == [ids[2], ids[3]]


async def test_read_over_rest_does_the_same(scene: Scene) -> None:
    ids = [message["id"] for message in scene.messages]
    path = f"/chats/{scene.chat_id}/read"
    assert await scene.bob.request("POST", path, json={"up_to": ids[1]}) == (
        200,
        {"unread_count": 3, "unread_mentions": 0, "up_to": ids[1], "read_seq": 2},
    )
    read = {"unread_count": 0, "unread_mentions": 0, "up_to": ids[4], "read_seq": 5}
    assert await scene.bob.request("POST", path) == (200, read)
    assert await scene.bob.request("POST", path, json={"up_to": None}) == (200, read)
    assert [frame["up_to"] for frame in await scene.anns.drain()] == [ids[1], ids[4]]


async def test_a_deleted_message_still_serves_as_a_position(scene: Scene) -> None:
    gone = scene.messages[2]["id"]
    await scene.ann.delete(f"/messages/{gone}")
    assert await scene.unread(scene.bob) == 4
    ack = await scene.bobs.done("read_messages", chat_id=scene.chat_id, up_to=gone)
    assert (ack["up_to"], ack["unread_count"]) == (gone, 2)


async def test_own_messages_are_not_unread_and_sending_moves_no_mark(scene: Scene) -> None:
    assert await scene.unread(scene.ann) == 0
    await scene.bob.say(scene.chat_id, "answer")
    assert await scene.unread(scene.bob) == 5
    assert await scene.unread(scene.ann) == 1
    await scene.anns.nothing_more("messages_read")
    assert (await scene.ann.get(f"/chats/{scene.chat_id}"))["last_read_message_id"] is None


async def test_a_deletion_lowers_the_count_and_an_edit_does_not_raise_it(scene: Scene) -> None:
    await scene.bobs.done("read_messages", chat_id=scene.chat_id, up_to=scene.messages[1]["id"])
    await scene.ann.patch(f"/messages/{scene.messages[0]['id']}", content="edited")
    assert await scene.unread(scene.bob) == 3
    await scene.ann.delete(f"/messages/{scene.messages[4]['id']}")
    await scene.ann.delete(f"/messages/{scene.messages[0]['id']}")
    assert await scene.unread(scene.bob) == 2


async def test_up_to_has_to_be_of_the_same_chat(scene: Scene) -> None:
    other = await scene.ann.say(await scene.ann.chat(scene.bob), "elsewhere")
    for up_to in (other["id"], 99, 0, "1", True, 1.0):
        frame = await scene.bobs.command("read_messages", chat_id=scene.chat_id, up_to=up_to)
        assert_error_frame(frame, "invalid", "up_to", id=frame["id"])
        answer = await scene.bob.request("POST", f"/chats/{scene.chat_id}/read", json={"up_to": up_to})
        assert_error(answer, 422, "invalid", "up_to")
    await scene.anns.nothing_more("messages_read")


async def test_an_empty_chat_can_be_read(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    ack = await client.done("read_messages", chat_id=chat_id)
    assert (ack["up_to"], ack["read_seq"], ack["unread_count"]) == (None, 0, 0)
    await client.nothing_more()


@pytest.mark.long_on_mongo
@pytest.mark.stores
async def test_unread_counts_stop_at_1000(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await ann.connect()
    for number in range(1002):
        await client.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": number})
    ids = [(await client.answer_to(number))["message"]["id"] for number in range(1002)]
    listed = (await bob.get("/chats"))["chats"][0]
    assert listed["unread_count"] == (await bob.get(f"/chats/{chat_id}"))["unread_count"] == 1000
    for up_to, unread in ((0, 1000), (1, 1000), (2, 999), (1000, 1)):
        assert (await bob.post(f"/chats/{chat_id}/read", up_to=ids[up_to]))["unread_count"] == unread
