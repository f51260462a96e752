"""`join_chat` over Socket.IO: the replay comes before its ack, and after the ack nothing is missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.clients.numbered import NUMBERED_EVENTS
from tests.clients.people import Person
from tests.conftest import Serve
from tests.patience import within
from tests.socketio.conftest import KINDS, TRANSPORTS, OpenWindow, connected
from tests.socketio.node import Node, NodeClient
from tests.socketio.windows import Ack, Event, Window


def changes(events: list[Event]) -> list[tuple[str, int, int]]:
    """Name, number of the message and `seq` of the events that carry a change."""
    return [
        (
            event.name,
            event.payload["message"]["id"] if "message" in event.payload else event.payload["message_id"],
            event.payload["seq"],
        )
        for event in events
        if event.name in NUMBERED_EVENTS
    ]


def before_ack(window: Window, call: int) -> tuple[list[Event], list[Event]]:
    """The events before and after the ack with this number."""
    place = next(n for n, seen in enumerate(window.everything) if isinstance(seen, Ack) and seen.call == call)
    parts = window.everything[:place], window.everything[place:]
    before, after = ([seen for seen in part if isinstance(seen, Event)] for part in parts)
    return before, after


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


async def test_nothing_is_missing_after_the_ack_while_others_write(serve: Serve, node: Node) -> None:
    """The official client joins amid its upgrade; each transport alone is in tests/wires/test_recovery.py."""
    server = await serve(messages_per_s=0)
    ann, *others = await server.people("ann", "bob", "eve")
    chat_id = await ann.chat(*others)
    ids = [(await ann.say(chat_id, str(number)))["id"] for number in range(10)]
    await ann.patch(f"/messages/{ids[1]}", content="edited")
    await ann.delete(f"/messages/{ids[3]}")
    async with others_write(others, chat_id):
        clients = [await connected(node, ann, TRANSPORTS["upgrade"]) for _ in range(3)]
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
    async with within(10):
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
    """The chat from `first_seq` on, made of nothing but the events that the client received, in their order."""
    messages: dict[int, Any] = {}
    for seen in client.everything:
        if not isinstance(seen, Event) or seen.name not in NUMBERED_EVENTS:
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
    serve: Serve, open_window: OpenWindow, kind: str
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
    window = await open_window(kind, ann)
    answer = await window.done("join_chat", chat_id=chat["id"], after_seq=0)
    assert (answer["replayed"], answer["gap"]) == (60, False)
    received = [event for event in await window.drain() if event.name != "connected"]
    assert [event.name for event in received] == ["new_message"] * 60 + ["user_offline"] * 40
    assert sorted(event.payload["user_id"] for event in received[60:]) == [other["id"] for other in others]
