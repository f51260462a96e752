"""Acks and the event `error`; payloads that are none; what a client may send besides."""

import asyncio
import json
from base64 import b64encode
from typing import Any

import pytest

from tests.clients.shapes import assert_error_frame
from tests.conftest import Server
from tests.engine.peers import Peer
from tests.patience import within
from tests.socketio.conftest import TRANSPORTS, connected
from tests.socketio.node import Node
from tests.socketio.windows import Ack, Payload

BYTES = {"$bytes": b64encode(b"\x00\x01").decode()}
RESERVED = ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")


def assert_error(error: Payload, code: str, *fields: str) -> None:
    """It is what an error frame of the raw socket is, without type and id."""
    assert_error_frame({"type": "error", **error}, code, *fields)


async def test_a_failing_event_without_a_callback_gets_the_event_error(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    client = await connected(node, await server.person("ann"), transport)
    await client.emit("send_message", {"content": "hello"})
    assert_error((await client.next("error")).payload, "invalid", "chat_id")
    await client.emit("no_such_thing", {})
    assert_error((await client.next("error")).payload, "unknown_event")
    await client.emit("delete_message", {"message_id": 7})  # which is found out in the store
    assert_error((await client.next("error")).payload, "not_found")
    await client.emit("ping")
    assert (await client.next()).name == "pong"
    await client.nothing_more()


async def test_a_failing_event_with_a_callback_gets_its_ack_and_nothing_else(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    client = await connected(node, await server.person("ann"), transport)
    assert_error(await client.error("send_message", {"content": "hello"}), "invalid", "chat_id")
    assert_error(await client.error("no_such_thing", {}), "unknown_event")
    assert_error(await client.error("delete_message", {"message_id": 7}), "not_found")
    await client.nothing_more()
    acks = [seen for seen in client.everything if isinstance(seen, Ack)]
    assert [len(ack.args) for ack in acks] == [1] * len(acks)


@pytest.mark.parametrize("payload", ["a", "", 1, 0, 1.5, True, False, [], [{}], BYTES], ids=str)
async def test_a_payload_that_is_no_object_is_a_bad_frame(server: Server, node: Node, payload: Any) -> None:
    ann = await server.person("ann")
    for transport in (TRANSPORTS["websocket"], TRANSPORTS["polling"]):
        client = await connected(node, ann, transport)
        for name in ("ping", "status", "send_message", "no_such_thing"):
            assert_error(await client.error(name, payload), "bad_frame")
        await client.emit("ping", payload)
        assert_error((await client.next("error")).payload, "bad_frame")
        await client.nothing_more("error")


async def test_null_and_nothing_are_an_empty_payload(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    client = await connected(node, await server.person("ann"), transport)
    nothings: list[list[Any]] = [[], [None], [{}], [None, {"chat_id": 1}]]
    for args in nothings:
        assert await client.ask("ping", *args) == {"ok": True}
        assert (await client.next()).name == "pong"
        assert_error(await client.error("leave_chat", *args), "invalid", "chat_id")


async def test_further_arguments_are_ignored(server: Server, node: Node, transport: dict[str, Any]) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await connected(node, ann, transport)
    params = {"chat_id": chat_id, "content": "hello"}
    for more in ([{"content": "no"}], [None], ["x", 1, [], True], [BYTES], [{"content": BYTES}, BYTES]):
        answer = await client.ask("send_message", params, *more)
        assert answer["message"]["content"] == "hello"


async def test_binary_within_a_payload_is_a_value_of_the_wrong_type(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await connected(node, ann, transport)
    error = await client.error("send_message", {"chat_id": chat_id, "content": BYTES})
    assert_error(error, "invalid", "content")
    answer = await client.ask("send_message", {"chat_id": chat_id, "content": "hello", "photo": BYTES})
    assert answer["ok"] is True
    assert "photo" not in answer["message"]


@pytest.mark.parametrize("name", RESERVED)
async def test_a_reserved_name_ends_the_connection_of_its_sender_alone(server: Server, name: str) -> None:
    ann, bob = await server.people("ann", "bob")
    witness = await bob.connect()
    peer = Peer(server.http, f"{server.url}/socket.io/")
    socket = await peer.direct()
    await socket.send("40" + json.dumps({"token": ann.token}))
    assert str(await socket.receive()).startswith("40")
    assert '"connected"' in str(await socket.receive())
    await socket.send(f'421["{name}",{{}}]')
    assert json.loads(str(await socket.receive()).removeprefix("42"))[1]["code"] == 1008
    assert await socket.receive() == "41"
    assert await socket.close_code() == 1008
    await witness.nothing_more()
    async with within(5):
        while server.chat_app.context.connections.of(ann.id):
            await asyncio.sleep(0.005)


async def test_a_number_with_a_point_is_no_integer(server: Server) -> None:
    # JavaScript cannot write 1.0
    ann = await server.person("ann")
    chat_id = await ann.chat()
    socket = await Peer(server.http, f"{server.url}/socket.io/").direct()
    await socket.send("40" + json.dumps({"token": ann.token}))
    for number in ("1.0", "1e0", "1" + 30 * "0", "-0.0", '"1"'):
        await socket.send(f'427["join_chat",{{"chat_id":{number}}}]')
        while not (packet := str(await socket.receive())).startswith("437"):
            pass
        (answer,) = json.loads(packet[3:])
        assert_error(answer["error"], "invalid", "chat_id")
    await socket.send(f'427["join_chat",{{"chat_id":{chat_id}}}]')
    assert json.loads(str(await socket.receive())[3:])[0]["ok"] is True
    await socket.ws.close()
