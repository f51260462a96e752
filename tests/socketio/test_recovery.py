"""`join_chat` over Socket.IO: the replay comes before its ack, and after the ack nothing is missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.socketio.conftest import KINDS, TRANSPORTS, Look, connected, joined
from tests.socketio.node import Node, NodeClient
from tests.socketio.windows import Ack, Event, Window

CHANGES = ("new_message", "message_updated", "message_deleted")


async def history(person: Person, chat_id: int) -> list[int]:
    """Ten messages; the second is edited, the third edited twice, the fourth deleted, the ninth edited and the tenth
    deleted. The ids in the order sent; the head is 16."""
    ids = [(await person.say(chat_id, f"message {number}"))["id"] for number in range(1, 11)]
    for edit, number in enumerate((2, 3, 3, 9)):
        await person.patch(f"/messages/{ids[number - 1]}", content=f"edit {edit}")
    for number in (4, 10):
        await person.delete(f"/messages/{ids[number - 1]}")
    return ids


def changes(events: list[Event]) -> list[tuple[str, int, int]]:
    """Name, number of the message and `seq` of those that tell a change."""
    return [
        (
            event.name,
            event.payload["message"]["id"] if "message" in event.payload else event.payload["message_id"],
            event.payload["seq"],
        )
        for event in events
        if event.name in CHANGES
    ]


def before_ack(window: Window, call: int) -> tuple[list[Event], list[Event]]:
    """The events before and after the ack with this number."""
    place = next(n for n, seen in enumerate(window.everything) if isinstance(seen, Ack) and seen.call == call)
    parts = window.everything[:place], window.everything[place:]
    before, after = ([seen for seen in part if isinstance(seen, Event)] for part in parts)
    return before, after


async def test_a_replay_tells_every_message_once_in_its_last_state(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    ids = await history(ann, chat_id)
    client = await connected(node, ann, transport)
    call = await client.start("join_chat", {"chat_id": chat_id, "after_seq": 5})
    answer = await client.answer_to(call)
    assert answer == {"ok": True, "chat_id": chat_id, "head_seq": 16, "replayed": 8, "gap": False}
    replayed, after = before_ack(client, call)
    assert changes(replayed) == [
        *(("new_message", ids[number - 1], number) for number in (6, 7, 8)),
        ("message_updated", ids[1], 11),
        ("message_updated", ids[2], 13),
        ("new_message", ids[8], 14),
        ("message_deleted", ids[3], 15),
        ("message_deleted", ids[9], 16),
    ]
    assert after == []


async def test_a_plain_join_replays_nothing(server: Server, node: Node, transport: dict[str, Any]) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await connected(node, ann, transport)
    empty = {"ok": True, "chat_id": chat_id, "head_seq": 0, "replayed": 0, "gap": False}
    assert await client.done("join_chat", chat_id=chat_id) == empty
    assert await client.done("join_chat", chat_id=chat_id, after_seq=0) == empty
    await history(ann, chat_id)
    await client.drain()
    head = {**empty, "head_seq": 16}
    assert await client.done("join_chat", chat_id=chat_id) == head
    assert await client.done("join_chat", chat_id=chat_id, after_seq=16) == head
    assert await client.done("join_chat", chat_id=chat_id, after_seq=17) == {**head, "gap": True}
    await client.nothing_more()
    await ann.say(chat_id, "hello")
    assert (await client.next()).payload["seq"] == 17


async def test_more_than_can_be_replayed_leaves_a_gap(
    serve: Serve, node: Node, transport: dict[str, Any]
) -> None:
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await connected(node, ann, transport)
    calls = [await client.start("send_message", {"chat_id": chat_id, "content": "x"}) for _ in range(501)]
    await client.answer_to(calls[-1])
    answer = await client.done("join_chat", chat_id=chat_id, after_seq=0)
    assert (answer["head_seq"], answer["replayed"], answer["gap"]) == (501, 0, True)
    await client.nothing_more()
    call = await client.start("join_chat", {"chat_id": chat_id, "after_seq": 1})
    answer = await client.answer_to(call)
    assert (answer["head_seq"], answer["replayed"], answer["gap"]) == (501, 500, False)
    assert [seq for _, _, seq in changes(before_ack(client, call)[0])] == list(range(2, 502))
    assert (await ann.say(chat_id, "next"))["seq"] == 502
    assert (await client.next("new_message")).payload["seq"] == 2
    assert (await client.drain())[-1].payload["seq"] == 502


@asynccontextmanager
async def others_write(people: list[Person], chat_id: int) -> AsyncIterator[None]:
    """Meanwhile these people send, edit and delete without a pause."""
    enough = asyncio.Event()

    async def write(person: Person) -> None:
        while not enough.is_set():
            kept = await person.say(chat_id, "kept")
            gone = await person.say(chat_id, "gone")
            await person.patch(f"/messages/{kept['id']}", content="kept, edited")
            await person.delete(f"/messages/{gone['id']}")

    writers = [asyncio.create_task(write(person)) for person in people]
    yield
    enough.set()
    await asyncio.gather(*writers)


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_nothing_is_missing_after_the_ack_while_others_write(
    serve: Serve, node: Node, name: str
) -> None:
    server = await serve(messages_per_s=0)
    ann, *others = await server.people("ann", "bob", "eve")
    chat_id = await ann.chat(*others)
    await history(ann, chat_id)
    async with others_write(others, chat_id):
        clients = [await connected(node, ann, TRANSPORTS[name]) for _ in range(3)]
        for client in clients:
            await _joins_without_a_hole(client, chat_id, plain=False)
        await _joins_without_a_hole(clients[0], chat_id, plain=True)
        for client in clients:
            await client.done("leave_chat", chat_id=chat_id)
            await _joins_without_a_hole(client, chat_id, plain=False)
    page = await ann.get(f"/chats/{chat_id}/messages", limit=200)
    for client in clients:
        await client.drain()
        assert _rebuilt(client, page["messages"][0]["seq"]) == page["messages"]


async def _joins_without_a_hole(client: NodeClient, chat_id: int, *, plain: bool) -> None:
    """Joins, waits for ten live changes, and looks at what came before and after the ack."""
    payload: dict[str, Any] = {"chat_id": chat_id} if plain else {"chat_id": chat_id, "after_seq": 0}
    first = len(client.everything)
    call = await client.start("join_chat", payload)
    answer = await client.answer_to(call)
    assert answer["gap"] is False
    head_seq = answer["head_seq"]
    async with asyncio.timeout(10):
        while len(live := changes(before_ack(client, call)[1])) < 10:
            await asyncio.sleep(0.005)
    assert [seq for _, _, seq in live] == list(range(head_seq + 1, head_seq + 1 + len(live)))
    if not plain:
        own = [seen for seen in client.everything[first:] if isinstance(seen, Event)]
        replayed = changes(own)[: answer["replayed"]]
        seqs = [seq for _, _, seq in replayed]
        assert seqs == sorted(set(seqs))
        assert seqs[-1] == head_seq
        assert changes(own)[answer["replayed"]][2] == head_seq + 1


def _rebuilt(client: NodeClient, first_seq: int) -> list[Any]:
    """The chat from `first_seq` on, made of nothing but what the client was told, in the order told."""
    messages: dict[int, Any] = {}
    for seen in client.everything:
        if not isinstance(seen, Event) or seen.name not in CHANGES:
            continue
        if seen.name == "message_deleted":
            messages.pop(seen.payload["message_id"], None)
        else:
            messages[seen.payload["message"]["id"]] = seen.payload["message"]
    return sorted(
        (message for message in messages.values() if message["seq"] >= first_seq), key=lambda m: m["seq"]
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_client_gets_through_a_long_replay_and_a_full_room(
    serve: Serve, look: Look, kind: str
) -> None:
    # python-socketio on polling takes no more than 16 packets in one answer.
    server = await serve(messages_per_s=0, auth_calls_per_min=0)
    ann = await server.person("ann")
    others = [await server.stranger().register(f"member{number}") for number in range(40)]
    chat = await ann.post(
        "/chats", name="Room", chat_type="group", member_ids=[other["id"] for other in others]
    )
    for number in range(60):
        await ann.say(chat["id"], str(number))
    window = await look(kind, ann)
    answer = await window.done("join_chat", chat_id=chat["id"], after_seq=0)
    assert (answer["replayed"], answer["gap"]) == (60, False)
    told = [event for event in await window.drain() if event.name != "connected"]
    assert [event.name for event in told] == ["new_message"] * 60 + ["user_offline"] * 40
    assert sorted(event.payload["user_id"] for event in told[60:]) == [other["id"] for other in others]


async def test_a_removal_ends_a_join(server: Server, node: Node, transport: dict[str, Any]) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await history(ann, chat_id)
    client = await joined(await connected(node, bob, transport), chat_id)
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    error = await client.error("join_chat", {"chat_id": chat_id, "after_seq": 0})
    assert error["code"] == "not_found"
    await ann.say(chat_id, "unseen")
    assert [event.name for event in await client.drain()] == ["chat_removed"]
