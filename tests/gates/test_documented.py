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
    told = await _told_to_ann(server)
    actual = told[documented["type"]]
    assert_like(documented, actual, documented["type"])


async def test_the_documented_values_are_the_ones_told(server: Server) -> None:
    told = await _told_to_ann(server)
    ann_id, bob_id = told["connected"]["user_id"], told["user_status"]["user_id"]
    message_id = told["new_message"]["message"]["id"]
    assert (ann_id, bob_id) == (1, 2)
    assert told["new_message"]["message"]["content"] == "Привет!"
    assert told["new_message"]["message"]["sender_id"] == bob_id
    assert told["new_message"]["message"]["message_type"] == "text"
    assert told["message_updated"]["message_id"] == message_id
    assert told["message_updated"]["content"] == "Привет! (изменено)"
    assert told["message_deleted"]["message_id"] == message_id
    assert told["typing"]["is_typing"] is True
    assert told["user_status"]["status"] == "away"
    assert [told[name]["user_id"] for name in ("typing", "user_offline", "messages_read")] == [bob_id] * 3
    chat_ids = {frame["chat_id"] for frame in told.values() if "chat_id" in frame}
    assert chat_ids == {told["new_message"]["chat_id"]}


async def _told_to_ann(server: Server) -> dict[str, Any]:
    """Bob does everything that causes an event; returns the events that Ann receives, by type."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    window = await ann.open()
    told = {"connected": await window.next()}
    await window.send({"type": "ping"})
    told["pong"] = await window.next("pong")
    await window.done("join_chat", chat_id=chat_id)
    other = await bob.joined(chat_id)
    await window.drain()
    await other.send({"type": "typing", "chat_id": chat_id, "is_typing": True})
    told["typing"] = await window.next("typing")
    message = await bob.say(chat_id, "Привет!")
    told["new_message"] = await window.next("new_message")
    await bob.patch(f"/messages/{message['id']}", content="Привет! (изменено)")
    told["message_updated"] = await window.next("message_updated")
    await other.send({"type": "read_messages", "chat_id": chat_id})
    told["messages_read"] = await window.next("messages_read")
    await bob.delete(f"/messages/{message['id']}")
    told["message_deleted"] = await window.next("message_deleted")
    await other.send({"type": "status", "status": "away"})
    told["user_status"] = await window.next("user_status")
    await other.send({"type": "status", "status": "offline"})
    told["user_offline"] = await window.next("user_offline")
    return told
