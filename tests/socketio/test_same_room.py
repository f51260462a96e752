"""The central proof: clients of every kind in one room see the same events in the same order, and nothing
in the events shows which kind anybody is."""

import asyncio
from typing import Any

import pytest

from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.patience import within
from tests.socketio.conftest import KINDS, OpenWindow, joined
from tests.socketio.windows import Event, Window

SENDS = 20
"""How many messages each of the writers of a crowd sends."""


async def crowd(
    server: Server, open_window: OpenWindow
) -> tuple[int, dict[str, Window], dict[str, Window], Person]:
    """A chat in which one person watches through a window of every kind, and somebody acts through each kind."""
    watcher, rester = await server.people("watcher", "rester")
    people = {kind: await server.person(kind.replace(" ", "_")) for kind in KINDS}
    chat_id = await watcher.chat(rester, *people.values())
    actors = {kind: await joined(await open_window(kind, person), chat_id) for kind, person in people.items()}
    watchers = {kind: await joined(await open_window(kind, watcher), chat_id) for kind in KINDS}
    for window in (*actors.values(), *watchers.values()):
        await window.drain()
    return chat_id, watchers, actors, rester


async def act(window: Window, chat_id: int) -> None:
    """Everything a client can do that publishes an event to the room."""
    await window.done("typing", chat_id=chat_id, is_typing=True)
    first = await window.done("send_message", chat_id=chat_id, content="Привет! 👋", client_id="one")
    await window.done("send_message", chat_id=chat_id, content="Привет! 👋", client_id="one")
    await window.done("edit_message", message_id=first["message"]["id"], content="Привет! (изменено)")
    await window.done("edit_message", message_id=first["message"]["id"], content="Привет! (изменено)")
    await window.done("typing", chat_id=chat_id, is_typing=True)
    await window.done("typing", chat_id=chat_id, is_typing=False)
    second = await window.done(
        "send_message", chat_id=chat_id, content="\u0000 <b>\u2028", reply_to=first["message"]["id"]
    )
    await window.done("delete_message", message_id=second["message"]["id"])
    await window.done("status", status="busy")
    await window.done("status", status="busy")
    await window.done("read_messages", chat_id=chat_id)
    await window.done("status", status="offline")
    await window.done("status", status="online")


PUBLISHED = [
    *("typing", "typing", "new_message", "message_updated", "typing", "typing", "new_message"),
    *("message_deleted", "user_status", "messages_read", "user_offline", "user_status"),
]
"""What the room receives when somebody acts."""


def anonymous(value: Any, names: dict[tuple[str, Any], int]) -> Any:
    """The value with the ids, numbers and times in it replaced by the order in which they first came."""
    if isinstance(value, list):
        return [anonymous(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: names.setdefault((_kind_of(key), item), len(names))
        if _kind_of(key) and item is not None
        else anonymous(item, names)
        for key, item in value.items()
    }


def _kind_of(key: str) -> str:
    """What a key names: two keys that may hold the same id have one name. Empty: the value is compared as it is."""
    if key in ("timestamp", "created_at", "edited_at"):
        return key
    if key in ("id", "message_id", "reply_to", "up_to"):
        return "message"
    return {
        "user_id": "user",
        "sender_id": "user",
        "seq": "seq",
        "changed_seq": "seq",
        "read_seq": "seq",
    }.get(key, "")


async def test_every_kind_sees_the_same_of_every_kind(server: Server, open_window: OpenWindow) -> None:
    chat_id, watchers, actors, rester = await crowd(server, open_window)
    acted = []
    for kind, actor in actors.items():
        await act(actor, chat_id)
        seen = {watcher: await window.drain() for watcher, window in watchers.items()}
        assert [event.name for event in seen["raw"]] == PUBLISHED, kind
        for watcher, events in seen.items():
            assert events == seen["raw"], f"{watcher} of {kind}"
        own = [event for event in seen["raw"] if event.name != "typing"]
        for other, window in actors.items():
            assert await window.drain() == (own if other == kind else seen["raw"]), f"{other} of {kind}"
        acted.append(seen["raw"])
    assert len(acted) == len(KINDS)
    blocks = [anonymous([list(event) for event in map(_listed, events)], {}) for events in acted]
    for kind, block in zip(KINDS, blocks, strict=True):
        assert block == blocks[0], f"{kind} is not like {KINDS[0]}"
    message = await rester.say(chat_id, "Привет! 👋", client_id="one")
    await rester.patch(f"/messages/{message['id']}", content="Привет! (изменено)")
    await rester.post(f"/chats/{chat_id}/read")
    await rester.delete(f"/messages/{message['id']}")
    received = {kind: await window.drain() for kind, window in (*watchers.items(), *actors.items())}
    assert [event.name for event in received["raw"]] == [
        *("new_message", "message_updated", "messages_read", "message_deleted"),
    ]
    assert all(events == received["raw"] for events in received.values())
    for mine, its in zip(_messages(received["raw"])[:2], _messages(acted[0])[:2], strict=True):
        assert anonymous(mine.payload, {}) == anonymous(its.payload, {})


def _listed(event: Event) -> tuple[str, dict[str, Any]]:
    return event.name, event.payload


def _messages(events: list[Event]) -> list[Event]:
    return [event for event in events if "message" in event.payload]


async def test_what_all_write_at_once_reaches_all_in_one_order(serve: Serve, open_window: OpenWindow) -> None:
    server = await serve(messages_per_s=0, typing_per_s=0)
    chat_id, watchers, actors, rester = await crowd(server, open_window)

    async def write(kind: str, window: Window) -> None:
        for number in range(SENDS):
            await window.emit("typing", {"chat_id": chat_id, "is_typing": True})
            await window.emit("send_message", {"chat_id": chat_id, "content": f"{kind} {number}"})

    async def write_over_rest() -> None:
        for number in range(SENDS):
            await rester.say(chat_id, f"rest {number}")

    await asyncio.gather(write_over_rest(), *(write(kind, window) for kind, window in actors.items()))
    page = await _settled(rester, chat_id, SENDS * (len(actors) + 1))
    seen = {kind: await window.drain() for kind, window in watchers.items()}
    received = [event for event in seen["raw"] if event.name == "new_message"]
    assert [event.payload["message"] for event in received] == page
    assert [event.payload["seq"] for event in received] == list(range(1, len(page) + 1))
    for watcher, events in seen.items():
        assert events == seen["raw"], watcher
    for kind in (*actors, "rest"):
        contents = [message["content"] for message in page if message["content"].startswith(f"{kind} ")]
        numbered = [text for text in contents if text.removeprefix(f"{kind} ").isdigit()]
        assert numbered == [f"{kind} {number}" for number in range(SENDS)]


async def _settled(person: Person, chat_id: int, count: int) -> list[Any]:
    """The history of a chat once its room has received `count` messages."""
    async with within(10):
        while True:
            page = await person.get(f"/chats/{chat_id}/messages", limit=200)
            if page["head_seq"] >= count:  # handed to the room, not only stored
                return list(page["messages"])


BAD = [
    ("nothing_of_the_kind", {}),
    ("join_chat", {"chat_id": 999_999}),
    ("join_chat", {"chat_id": "1"}),
    ("send_message", {"chat_id": 1}),
    ("send_message", {"chat_id": 1, "content": ""}),
    ("send_message", {"chat_id": 1, "content": "x", "client_id": "#"}),
    ("edit_message", {"message_id": 999_999, "content": "x"}),
    ("status", {"status": "gone"}),
    ("refresh_token", {"token": "garbage"}),
    ("leave_chat", {"chat_id": 999_999}),
    ("ping", {}),
]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "raw"])
async def test_answers_are_the_same_as_on_the_raw_socket(
    server: Server, open_window: OpenWindow, kind: str
) -> None:
    ann = await server.person("ann")
    assert await ann.chat() == 1
    raw, window = await open_window("raw", ann), await open_window(kind, ann)
    for name, payload in BAD:
        answer = await raw.ask(name, payload)
        assert await window.ask(name, payload) == answer, name
        for silent in (raw, window):
            await silent.emit(name, payload)
            if not answer["ok"]:
                assert (await silent.next("error")).payload == answer["error"]
    for silent in (raw, window):
        await silent.nothing_more("error")


async def test_after_leaving_a_room_a_client_gets_none_of_its_events(
    server: Server, open_window: OpenWindow
) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    windows = [await joined(await open_window(kind, bob), chat_id) for kind in KINDS]
    for window in windows:
        await window.drain()
        await window.done("leave_chat", chat_id=chat_id)
    await ann.say(chat_id, "hello")
    for window in windows:
        await window.nothing_more("new_message")
    for window in windows:
        await joined(window, chat_id)
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    await ann.say(chat_id, "good bye")
    received = [await window.drain() for window in windows]
    assert [event.name for event in received[0]] == ["chat_removed"]
    assert all(events == received[0] for events in received)
    for window in windows:
        assert (await window.error("join_chat", {"chat_id": chat_id}))["code"] == "not_found"
