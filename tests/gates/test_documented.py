"""The frames of docs/protocol.md to the letter: a client written from the document alone works."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.shapes import is_time
from tests.conftest import Server

DOCUMENTED = json.loads((Path(__file__).parent.parent / "vectors" / "documented.json").read_text("utf8"))
FROM_CLIENT = DOCUMENTED["client_to_server"]
FROM_SERVER = DOCUMENTED["server_to_client"]


def name_of(frame: dict[str, Any]) -> str:
    return str(frame["type"])


def assert_like(documented: Any, actual: Any, where: str = "") -> None:
    """Every documented key is there, with a value of the same JSON type; times are times."""
    assert type(actual) is type(documented), where
    if isinstance(documented, dict):
        for key, value in documented.items():
            assert key in actual, f"{where}.{key}"
            assert_like(value, actual[key], f"{where}.{key}")
    elif is_time(documented):
        assert is_time(actual), where


@pytest.mark.parametrize("frame", FROM_CLIENT, ids=name_of)
async def test_a_documented_client_frame_is_taken_as_it_stands(server: Server, frame: dict[str, Any]) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await ann.joined(chat_id)
    await client.send({**frame, "chat_id": chat_id} if "chat_id" in frame else frame)
    await client.nothing_more("error", "ack")


@pytest.mark.parametrize("documented", FROM_SERVER, ids=name_of)
async def test_a_documented_server_frame_has_every_documented_key(
    server: Server, documented: dict[str, Any]
) -> None:
    received = await _events_of_ann(server)
    actual = received[documented["type"]]
    assert_like(documented, actual, documented["type"])


async def test_events_have_the_documented_values(server: Server) -> None:
    received = await _events_of_ann(server)
    ann_id, bob_id = received["connected"]["user_id"], received["user_status"]["user_id"]
    message_id = received["new_message"]["message"]["id"]
    assert (ann_id, bob_id) == (1, 2)
    assert received["new_message"]["message"]["content"] == "Привет!"
    assert received["new_message"]["message"]["sender_id"] == bob_id
    assert received["new_message"]["message"]["message_type"] == "text"
    assert received["message_updated"]["message_id"] == message_id
    assert received["message_updated"]["content"] == "Привет! (изменено)"
    assert received["message_deleted"]["message_id"] == message_id
    assert received["typing"]["is_typing"] is True
    assert received["user_status"]["status"] == "away"
    assert [received[name]["user_id"] for name in ("typing", "user_offline", "messages_read")] == [bob_id] * 3
    chat_ids = {frame["chat_id"] for frame in received.values() if "chat_id" in frame}
    assert chat_ids == {received["new_message"]["chat_id"]}


async def _events_of_ann(server: Server) -> dict[str, Any]:
    """Bob does everything that causes an event; returns the events that Ann receives, by type."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    window = await ann.open()
    received = {"connected": await window.next()}
    await window.send({"type": "ping"})
    received["pong"] = await window.next("pong")
    await window.done("join_chat", chat_id=chat_id)
    other = await bob.joined(chat_id)
    await window.drain()
    await other.send({"type": "typing", "chat_id": chat_id, "is_typing": True})
    received["typing"] = await window.next("typing")
    message = await bob.say(chat_id, "Привет!")
    received["new_message"] = await window.next("new_message")
    await bob.patch(f"/messages/{message['id']}", content="Привет! (изменено)")
    received["message_updated"] = await window.next("message_updated")
    await other.send({"type": "read_messages", "chat_id": chat_id})
    received["messages_read"] = await window.next("messages_read")
    await bob.delete(f"/messages/{message['id']}")
    received["message_deleted"] = await window.next("message_deleted")
    await other.send({"type": "status", "status": "away"})
    received["user_status"] = await window.next("user_status")
    await other.send({"type": "status", "status": "offline"})
    received["user_offline"] = await window.next("user_offline")
    return received
