"""The raw gate: valid and invalid frames, their answers, and which of them end the connection."""

import json
from typing import Any

import pytest

from tests.clients.raw import RawClient
from tests.clients.shapes import assert_error_frame, is_time
from tests.conftest import Serve, Server

BAD_TEXTS = [
    "",
    "not json",
    '{"type":"ping"',
    "{'type':'ping'}",
    '{"type":"ping",}',
    '{"type":NaN}',
    "[]",
    '[{"type":"ping"}]',
    "null",
    "7",
    '"ping"',
    "{}",
    '{"type":null}',
    '{"type":7}',
    '{"type":["ping"]}',
    "[" * 100_000,
    '{"a":' * 20_000,
    '{"type":"\\ud800' + "x",
]
BAD_IDS = [-1, 2**53, 10**30, 1.0, 1.5, True, False, "x" * 65, [], {}, ["1"], "\ud800"]
GOOD_IDS = [0, 1, 2**53 - 1, "", "x", "x" * 64, "🙂" * 64, "1", "\u0000"]


async def connected(server: Server) -> RawClient:
    """A connection of Ann's whose `connected` has been read."""
    client = await (await server.person("ann")).open_raw()
    assert (await client.next())["type"] == "connected"
    return client


async def test_connected_comes_first_with_what_a_client_should_know(server: Server) -> None:
    ann = await server.person("ann")
    first, second = [await (await ann.open()).next() for _ in range(2)]
    assert first.keys() == {
        "type", "user_id", "timestamp", "protocol", "epoch", "session_id", "token_expires_in", "limits",
    }  # fmt: skip
    assert (first["type"], first["user_id"], first["protocol"]) == ("connected", ann.id, 1)
    assert is_time(first["timestamp"])
    assert 24 * 3600 - 10 < first["token_expires_in"] <= 24 * 3600
    assert type(first["token_expires_in"]) is int
    assert first["limits"] == {
        "max_frame_bytes": 128 * 1024,
        "max_content_chars": 10_000,
        "messages_per_s": 50,
    }
    assert type(first["session_id"]) is str
    assert first["session_id"] != second["session_id"]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=lambda text: text[:12])
async def test_what_is_no_frame_is_a_bad_frame_and_the_connection_stays(server: Server, text: str) -> None:
    client = await connected(server)
    await client.send_text(text)
    assert_error_frame(await client.next(), "bad_frame")
    await client.nothing_more()


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b'{"type":"ping"}'])
async def test_a_binary_frame_is_a_bad_frame(server: Server, data: bytes) -> None:
    client = await connected(server)
    await client.socket.send_bytes(data)
    assert_error_frame(await client.next(), "bad_frame")
    await client.nothing_more()


@pytest.mark.parametrize("frame_id", BAD_IDS, ids=lambda value: json.dumps(value)[:12])
async def test_a_bad_id_is_a_bad_frame_and_the_command_is_not_run(server: Server, frame_id: Any) -> None:
    client = await connected(server)
    await client.send({"type": "ping", "id": frame_id})
    assert_error_frame(await client.next(), "bad_frame")
    await client.nothing_more()


@pytest.mark.parametrize("frame_id", GOOD_IDS, ids=lambda value: json.dumps(value)[:12])
async def test_an_id_comes_back_as_it_was_with_ack_and_error(server: Server, frame_id: Any) -> None:
    client = await connected(server)
    await client.send({"type": "ping", "id": frame_id})
    assert (await client.next())["type"] == "pong"
    ack = await client.next()
    assert ack == {"type": "ack", "id": frame_id, "ok": True}
    assert type(ack["id"]) is type(frame_id)
    await client.send({"type": "join_chat", "chat_id": 99, "id": frame_id})
    assert_error_frame(await client.next(), "not_found", id=frame_id)
    await client.send({"type": "nonsense", "id": frame_id})
    assert_error_frame(await client.next(), "unknown_event", id=frame_id)


async def test_a_bad_frame_with_a_good_id_is_answered_with_it(server: Server) -> None:
    client = await connected(server)
    for frame in ({"id": 7}, {"id": 7, "type": None}, {"id": 7, "type": 1}):
        await client.send(frame)
        assert_error_frame(await client.next(), "bad_frame", id=7)


async def test_an_id_that_is_null_is_absent(server: Server) -> None:
    client = await connected(server)
    await client.send({"type": "ping", "id": None})
    assert (await client.next()).keys() == {"type", "timestamp"}
    await client.send({"type": "join_chat", "chat_id": 99, "id": None})
    assert_error_frame(await client.next(), "not_found")
    await client.nothing_more()


async def test_a_failing_frame_without_an_id_gets_an_error_without_one(server: Server) -> None:
    client = await connected(server)
    for frame, code, fields in (
        ({"type": "join_chat"}, "invalid", ["chat_id"]),
        ({"type": "join_chat", "chat_id": 99}, "not_found", []),
        ({"type": "typing"}, "invalid", ["chat_id", "is_typing"]),
        ({"type": "nonsense"}, "unknown_event", []),
        ({"type": ""}, "unknown_event", []),
        ({"type": "x" * 10_000}, "unknown_event", []),
    ):
        await client.send(frame)
        assert_error_frame(await client.next(), code, *fields)
    await client.nothing_more()


async def test_a_deep_field_is_ignored_like_any_other_unknown_one(server: Server) -> None:
    client = await (await server.person("ann")).open_raw()
    await client.send_text('{"type":"ping","id":1,"deep":' + "[" * 500 + "]" * 500 + "}")
    assert (await client.answer_to(1))["type"] == "ack"


async def test_of_a_key_that_comes_twice_the_last_value_counts(server: Server) -> None:
    ann = await server.person("ann")
    client, chat_id = await ann.open_raw(), await ann.chat()
    await client.send_text(
        f'{{"type":"nonsense","type":"join_chat","chat_id":99,"chat_id":{chat_id},"id":1}}'
    )
    assert (await client.answer_to(1))["type"] == "ack"


@pytest.mark.parametrize("kind", ["text", "binary", "id"])
async def test_32_bad_frames_in_a_row_end_the_connection(server: Server, kind: str) -> None:
    client = await connected(server)

    async def bad() -> None:
        if kind == "binary":
            await client.socket.send_bytes(b"x")
        else:
            await client.send_text("x" if kind == "text" else '{"type":"ping","id":-1}')

    for _ in range(31):
        await bad()
    await client.done("ping")  # a good frame resets the count
    for _ in range(31):
        await bad()
    frame = await client.command("nonsense")  # and so does a well-formed frame whose command fails
    assert frame["code"] == "unknown_event"
    for _ in range(31):
        await bad()
    for _ in range(31 * 3):
        assert_error_frame(await client.next("error"), "bad_frame")
    await bad()
    assert await client.closed() == 1008


async def test_a_frame_beyond_the_limit_ends_the_connection(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    client, other = await ann.connect(), await bob.connect()
    frame: dict[str, Any] = {"type": "ping", "id": 1, "padding": ""}
    frame["padding"] = "x" * (128 * 1024 - len(json.dumps(frame)))
    await client.send(frame)
    assert (await client.answer_to(1))["type"] == "ack"
    await client.send({**frame, "padding": frame["padding"] + "x"})
    assert await client.closed() == 1009
    await other.nothing_more()


async def test_the_frame_limit_is_a_setting(serve: Serve) -> None:
    server = await serve(max_frame_bytes=2048)
    client = await (await server.person("ann")).open()
    assert (await client.next())["limits"]["max_frame_bytes"] == 2048
    await client.send({"type": "ping", "padding": "x" * 2048})
    assert await client.closed() == 1009


async def test_a_request_to_ws_that_is_no_websocket_is_426(server: Server) -> None:
    ann = await server.person("ann")
    async with server.http.get(f"{server.url}/ws", params={"token": str(ann.token)}) as answer:
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
        assert (await answer.json())["error"]["code"] == "bad_request"
    async with server.http.post(f"{server.url}/ws") as answer:
        assert answer.status == 405


async def test_a_connection_that_is_cut_in_the_middle_disturbs_nobody(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    for number in range(50):
        await anns.send({"type": "send_message", "chat_id": chat_id, "content": str(number), "id": number})
    anns.cut()
    sent = (await bob.get(f"/chats/{chat_id}/messages"))["messages"]
    received = [(await bobs.next("new_message"))["seq"] for _ in sent]
    assert received == [message["seq"] for message in sent] == list(range(1, len(sent) + 1))
