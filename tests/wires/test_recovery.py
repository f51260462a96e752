"""Recovery with `join_chat` and `after_seq`: every missed change once and in order, then live events without a hole."""

import asyncio
from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.numbered import NUMBERED_EVENTS
from tests.clients.people import Person
from tests.clients.shapes import MESSAGE, fits
from tests.conftest import Serve, Server

pytestmark = [pytest.mark.wires, pytest.mark.stores]


async def fill(person: Person, chat_id: int, count: int) -> list[int]:
    """The ids of `count` new messages."""
    client = await person.connect()
    for number in range(count):
        await client.send({"type": "send_message", "chat_id": chat_id, "content": f"{number}", "id": number})
    ids = [(await client.answer_to(number))["message"]["id"] for number in range(count)]
    await client.close()
    return ids


async def recover(client: Client, chat_id: int, after_seq: int) -> tuple[Any, list[Any]]:
    """The ack of the join, and the changes that came before it."""
    ack = await client.command("join_chat", chat_id=chat_id, after_seq=after_seq)
    return ack, [frame for frame in client.take() if frame["type"] in NUMBERED_EVENTS]


async def test_a_plain_join_says_where_the_room_stands(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    ack = await client.done("join_chat", chat_id=chat_id)
    assert ack.keys() == {"type", "id", "ok", "chat_id", "head_seq", "replayed", "gap"}
    assert (ack["chat_id"], ack["head_seq"], ack["replayed"], ack["gap"]) == (chat_id, 0, 0, False)
    await fill(ann, chat_id, 3)
    again = await client.done("join_chat", chat_id=chat_id)
    assert (again["head_seq"], again["replayed"], again["gap"]) == (3, 0, False)
    assert [frame["seq"] for frame in await client.drain() if frame["type"] in NUMBERED_EVENTS] == [1, 2, 3]


async def test_a_replay_has_every_change_once_in_the_order_of_the_last_change(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    ids = await fill(ann, chat_id, 6)  # seq 1…6
    await ann.patch(f"/messages/{ids[1]}", content="edited once")  # 7
    await ann.patch(f"/messages/{ids[4]}", content="new and edited")  # 8
    await ann.delete(f"/messages/{ids[0]}")  # 9
    await ann.delete(f"/messages/{ids[5]}")  # 10
    await ann.patch(f"/messages/{ids[1]}", content="edited twice")  # 11
    client = await bob.connect()
    ack, frames = await recover(client, chat_id, 3)
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (11, 5, False)
    assert [(frame["type"], frame["seq"]) for frame in frames] == [
        ("new_message", 4),
        ("new_message", 8),
        ("message_deleted", 9),
        ("message_deleted", 10),
        ("message_updated", 11),
    ]
    assert [frame.get("message_id", frame.get("message", {}).get("id")) for frame in frames] == [
        ids[3], ids[4], ids[0], ids[5], ids[1],
    ]  # fmt: skip
    assert frames[1]["message"] == await ann.get(f"/messages/{ids[4]}")
    assert fits(frames[4]["message"], MESSAGE)
    assert (frames[4]["content"], frames[4]["edited_at"]) == (
        "edited twice",
        frames[4]["message"]["edited_at"],
    )
    await ann.say(chat_id, "live")
    assert (await client.next("new_message"))["seq"] == 12


async def test_a_replayed_frame_has_the_keys_of_a_live_one(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    live, late = await ann.joined(chat_id), await ann.connect()
    ids = [(await ann.say(chat_id, str(number)))["id"] for number in range(3)]
    await ann.patch(f"/messages/{ids[1]}", content="edited")
    await ann.delete(f"/messages/{ids[2]}")
    received = {frame["type"]: frame for frame in await live.drain()}
    _, frames = await recover(late, chat_id, 2)
    assert [frame["type"] for frame in frames] == ["message_updated", "message_deleted"]
    _, more = await recover(late, chat_id, 0)
    for frame in frames + more:
        assert frame.keys() == received[frame["type"]].keys()


async def test_after_the_head_there_is_nothing_and_above_it_a_gap(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    for head in (0, 3):
        for after_seq, gap in ((head, False), (head + 1, True), (2**53 - 1, True)):
            ack, frames = await recover(client, chat_id, after_seq)
            assert (ack["head_seq"], ack["replayed"], ack["gap"], frames) == (head, 0, gap, [])
        await fill(ann, chat_id, 3)
        await client.drain()
    await ann.say(chat_id, "live")
    assert (await client.next("new_message"))["seq"] == 7, "a gap joins too"


@pytest.mark.parametrize(("count", "gap"), [(500, False), (501, True)])
async def test_up_to_500_messages_are_replayed_and_more_are_a_gap(
    serve: Serve, count: int, gap: bool
) -> None:
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    await fill(ann, chat_id, count)
    client = await ann.connect()
    ack, frames = await recover(client, chat_id, 0)
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (count, 0 if gap else count, gap)
    assert [frame["seq"] for frame in frames] == ([] if gap else list(range(1, count + 1)))
    ack, frames = await recover(client, chat_id, 1)
    assert (ack["replayed"], ack["gap"], len(frames)) == (count - 1, False, count - 1)
    await ann.say(chat_id, "live")
    assert (await client.next("new_message"))["seq"] == count + 1


async def test_messages_count_and_not_changes(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "0")
    writer, client = await ann.connect(), await ann.connect()
    for number in range(600):
        frame = {"type": "edit_message", "message_id": message["id"], "content": f"{number}!", "id": number}
        await writer.send(frame)
    await writer.answer_to(599)
    ack, frames = await recover(client, chat_id, 1)
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (601, 1, False)
    assert (frames[0]["type"], frames[0]["seq"], frames[0]["content"]) == ("message_updated", 601, "599!")


@pytest.mark.long_on_mongo
@pytest.mark.parametrize("writers", [1, 4])
async def test_live_goes_on_where_the_replay_ended_while_others_write(
    serve: Serve, writers: int, store_name: str
) -> None:
    """A client that joins again and again amid writes has, at the end, every message as the server has it."""
    server = await serve(messages_per_s=0)
    # FerretDB reads the whole collection for each change.
    rounds = 25 if store_name == "sqlite" else 6
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    reader = await bob.connect()
    stop = asyncio.Event()

    async def write() -> None:
        client = await ann.connect()
        ids: list[int] = []
        while not stop.is_set():
            sends = [client.command("send_message", chat_id=chat_id, content="x") for _ in range(10)]
            ids += [ack["message"]["id"] for ack in await asyncio.gather(*sends)]
            await client.done("edit_message", message_id=ids[-1], content=f"{len(ids)}")
            await client.done("delete_message", message_id=ids[-2])

    writing = [asyncio.create_task(write()) for _ in range(writers)]
    held: dict[int, str] = {}
    position = 0
    for round_number in range(rounds):
        if round_number % 3 == 2:
            await reader.done("leave_chat", chat_id=chat_id)
            position = _apply(held, _changes(reader.take()), position)
            await ann.say(chat_id, "missed")
        ack = await reader.command("join_chat", chat_id=chat_id, after_seq=position)
        assert not ack["gap"]
        frames = _changes(reader.take())
        live = len(frames) - ack["replayed"]
        _apply(held, frames[:live], position)
        _apply(held, frames[live:], position, holes=True)
        position = ack["head_seq"]
        for _ in range(20):
            position = _apply(held, _changes([await reader.next()]), position)
    stop.set()
    await asyncio.gather(*writing)
    position = _apply(held, _changes(await reader.drain()), position)
    everything, head_seq = await _everything(bob, chat_id)
    assert (held, position) == (everything, head_seq)


async def test_joining_again_without_after_seq_loses_nothing_live(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client, writer = await ann.joined(chat_id), await ann.connect()
    for number in range(100):
        await writer.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": number})
        if number % 10 == 0:
            await client.send({"type": "join_chat", "chat_id": chat_id})
    for number in range(100):
        await writer.answer_to(number)
    seqs = [frame["seq"] for frame in await client.drain() if frame["type"] in NUMBERED_EVENTS]
    assert seqs == list(range(1, 101))


@pytest.mark.long_on_mongo
async def test_a_replay_stops_at_a_removal(serve: Serve) -> None:
    """A member who is removed while they catch up gets nothing of the chat after `chat_removed`."""
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await fill(ann, chat_id, 400)
    for _ in range(8):
        client = await bob.connect()
        removing = asyncio.create_task(ann.request("DELETE", f"/chats/{chat_id}/members/{bob.id}"))
        await client.send({"type": "join_chat", "chat_id": chat_id, "after_seq": 0, "id": "join"})
        await removing
        await ann.say(chat_id, "after the removal")
        await client.answer_to("join")
        frames = await client.drain()
        names = [frame["type"] for frame in frames]
        assert names[-1] == "chat_removed", "and nothing of the room after it"
        assert names.count("chat_removed") == 1
        await ann.post(f"/chats/{chat_id}/members", user_id=bob.id)
        await client.close()


async def test_a_stranger_and_a_removed_member_get_no_replay(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    chat_id = await ann.chat(bob)
    await ann.say(chat_id, "hi")
    client, bobs = await eve.connect(), await bob.joined(chat_id)
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    for after_seq in (0, 99):
        for outside in (client, bobs):
            answer, frames = await recover(outside, chat_id, after_seq)
            assert (answer["code"], frames) == ("not_found", [])
    await ann.say(chat_id, "unheard")
    assert [frame["type"] for frame in await bobs.drain()] == []


async def test_after_a_restart_a_client_recovers_from_its_position(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    ids = await fill(ann, chat_id, 3)
    await server.restart()
    await ann.patch(f"/messages/{ids[0]}", content="edited")
    client = await bob.connect()
    ack, frames = await recover(client, chat_id, 2)
    assert ack["head_seq"] == 4
    assert [(frame["type"], frame["seq"]) for frame in frames] == [("new_message", 3), ("message_updated", 4)]


def _changes(frames: list[Any]) -> list[Any]:
    return [frame for frame in frames if frame["type"] in NUMBERED_EVENTS]


def _apply(held: dict[int, str], frames: list[Any], position: int, *, holes: bool = False) -> int:
    """Applies the changes of a chat as a client does. Returns the position, which goes up by one; with `holes` by any
    number."""
    for frame in frames:
        assert frame["seq"] > position if holes else frame["seq"] == position + 1
        position = frame["seq"]
        if frame["type"] == "message_deleted":
            held.pop(frame["message_id"], None)
        else:
            held[frame["message"]["id"]] = frame["message"]["content"]
    return position


async def _everything(person: Person, chat_id: int) -> tuple[dict[int, str], int]:
    """The contents in the history, read page by page, and the head."""
    found: dict[int, str] = {}
    query: dict[str, Any] = {"limit": "200"}
    while True:
        page = await person.get(f"/chats/{chat_id}/messages", **query)
        found.update({message["id"]: message["content"] for message in page["messages"]})
        if not page["has_more_before"]:
            return found, page["head_seq"]
        query["before"] = page["messages"][0]["id"]
