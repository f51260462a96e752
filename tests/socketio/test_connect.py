"""Coming in over Socket.IO: `connected` first, refusals in words, and ids that open nothing."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
from structlog.testing import capture_logs

from storage.errors import Unavailable
from tests.clients.people import Person
from tests.clients.program import STOP_S, running
from tests.clients.shapes import is_time
from tests.conftest import SECRET, Serve, Server
from tests.patience import within
from tests.socketio.conftest import KINDS, TRANSPORTS, OpenWindow, connected, joined
from tests.socketio.node import Node
from tests.socketio.windows import Event, Notice

LATE = 4102444800
"""A Unix time far away: 2100."""


@pytest.mark.parametrize("kind", KINDS)
async def test_connected_is_the_first_event_and_the_same_on_every_door(
    server: Server, open_window: OpenWindow, kind: str
) -> None:
    ann = await server.person("ann")
    window = await open_window(kind, ann)
    name, (payload,) = await window.next()
    assert name == "connected"
    assert payload.keys() == {
        *("user_id", "timestamp", "protocol", "epoch", "session_id", "token_expires_in", "limits"),
    }
    assert (payload["user_id"], payload["protocol"]) == (ann.id, 1)
    assert is_time(payload["timestamp"])
    assert 24 * 3600 - 10 <= payload["token_expires_in"] <= 24 * 3600
    assert payload["limits"] == {"max_frame_bytes": 131072, "max_content_chars": 10000, "messages_per_s": 50}
    await window.nothing_more()


async def test_the_token_may_come_in_a_header(server: Server, node: Node, transport: dict[str, Any]) -> None:
    ann = await server.person("ann")
    headers = {"Authorization": f"Bearer {ann.token}"}
    client = await node.open(server.url, extraHeaders=headers, **transport)
    assert (await client.next("connected")).payload["user_id"] == ann.id


def minted(key: str = SECRET, **claims: Any) -> dict[str, str]:
    return {"token": jwt.encode({"sub": "1", "exp": LATE, **claims}, key, "HS256")}


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param(None, id="no auth"),
        pytest.param({}, id="no token"),
        pytest.param({"token": None}, id="null"),
        pytest.param({"token": ""}, id="empty"),
        pytest.param({"token": 17}, id="a number"),
        pytest.param({"token": ["a"]}, id="a list"),
        pytest.param({"token": "garbage"}, id="garbage"),
        pytest.param({"token": "пароль"}, id="not ASCII"),
        pytest.param(minted(exp=1), id="expired"),
        pytest.param(minted(type="refresh"), id="another type"),
        pytest.param(minted(sub="999"), id="of no user"),
        pytest.param(minted("another key that is as long as it takes"), id="another key"),
    ],
)
async def test_a_bad_token_is_refused_with_connect_error(
    server: Server, node: Node, transport: dict[str, Any], auth: Any
) -> None:
    await server.person("ann")
    client = await node.open(server.url, **transport, **({} if auth is None else {"auth": auth}))
    refusal = await client.notice("connect_error")
    assert refusal["data"].keys() == {"code", "message", "close_code"}
    assert (refusal["data"]["code"], refusal["data"]["close_code"]) == ("unauthenticated", 4401)
    assert refusal["data"]["message"] == refusal["message"] != ""
    assert refusal["active"] is False, "it tries again by itself"
    assert [type(seen) for seen in client.everything] == [Notice]


async def test_a_token_of_another_backend_is_as_good(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    ann = await server.person("ann")
    client = await node.open(server.url, auth=minted(sub=str(ann.id)), **transport)
    assert (await client.next()).payload["user_id"] == ann.id


async def test_a_revoked_session_is_refused(server: Server, node: Node, transport: dict[str, Any]) -> None:
    ann = await server.person("ann")
    await ann.post("/auth/logout")
    client = await node.open(server.url, ann.token, **transport)
    data = (await client.notice("connect_error"))["data"]
    assert (data["code"], data["close_code"]) == ("unauthenticated", 4403)


async def test_a_store_that_cannot_be_reached_is_no_bad_token(
    server: Server, node: Node, transport: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_token: object, **_how: object) -> None:
        raise Unavailable("lost")

    ann = await server.person("ann")
    monkeypatch.setattr(server.chat_app.context.identities, "of", fail)
    client = await node.open(server.url, ann.token, **transport)
    data = (await client.notice("connect_error"))["data"]
    assert (data["code"], data["close_code"]) == ("unavailable", 1013)


async def test_too_many_connections_are_refused_on_every_door(serve: Serve, node: Node) -> None:
    server = await serve(max_connections_per_user=2)
    ann = await server.person("ann")
    await connected(node, ann, TRANSPORTS["websocket"])
    leaving = await connected(node, ann, TRANSPORTS["polling"])
    for transport in TRANSPORTS.values():
        client = await node.open(server.url, ann.token, **transport)
        refusal = await client.notice("connect_error")
        assert (refusal["data"]["code"], refusal["data"]["close_code"]) == ("rate_limited", 4429)
        assert not [seen for seen in client.everything if isinstance(seen, Event)]
    assert await (await ann.open()).closed() == 4429
    await leaving.close()
    await _gone(server, ann, 1)
    await connected(node, ann, TRANSPORTS["websocket"])


async def _gone(server: Server, person: Person, left: int) -> None:
    """Returns when the user has no more than `left` connections."""
    async with within(5):
        while len(server.chat_app.context.connections.of(person.id)) > left:
            await asyncio.sleep(0.005)


async def test_no_client_receives_the_sid_of_the_transport(
    server: Server, node: Node, transport: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with capture_logs() as lines:
        ann, bob = await server.people("ann", "bob")
        chat_id = await ann.chat(bob)
        watcher = await joined(await connected(node, bob, transport), chat_id)
        client = await node.open(server.url, ann.token, **transport)
        sids = await client.notice("connect")
        session_id = (await client.next("connected")).payload["session_id"]
        await joined(client, chat_id)
        await client.done("typing", chat_id=chat_id, is_typing=True)
        await client.done("send_message", chat_id=chat_id, content="hello")
        await client.done("status", status="away")
        await ann.post("/auth/logout")
        await client.ended()
        await watcher.next("new_message")
        await watcher.drain()
    assert sids["engine_sid"] not in (sids["sid"], session_id)
    received = [seen for window in (watcher, client) for seen in window.everything if isinstance(seen, Event)]
    assert session_id in str(received)
    assert sids["engine_sid"] not in str(received)
    assert "WebSocket connected" in str(lines)
    assert sids["engine_sid"] not in str(lines) + caplog.text
    assert str(ann.token) not in str(lines) + caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM to stop a server with")
async def test_the_log_of_the_whole_program_holds_neither_sid_nor_token(node: Node, tmp_path: Path) -> None:
    async with running(tmp_path, LOG_LEVEL="DEBUG", LOG_FORMAT="json") as program:
        ann = await program.person("ann")
        sids = []
        for transport in TRANSPORTS.values():
            client = await node.open(program.url, ann.token, **transport)
            sids.append((await client.notice("connect"))["engine_sid"])
            await client.error("send_message", {"chat_id": 1, "content": "secret"})
        program.send_signal(signal.SIGTERM)
        assert (await client.ended())[0]["code"] == 1001
        assert await program.ended(STOP_S) == 0
    log = program.log
    assert log.count("WebSocket connected") == len(sids)
    assert [secret for secret in (*sids, ann.token, "secret") if secret in log] == []
