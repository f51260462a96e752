"""How connections end: too many, silence, shutdown, and pages of other origins."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSMsgType

from server.keys import SIO
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server
from tests.engine.clocks import ManualClock
from tests.patience import within

ORIGIN = "https://chat.example.org"


async def test_one_connection_too_many_is_4429_and_the_others_stay(serve: Serve) -> None:
    server = await serve(max_connections_per_user=2)
    ann, bob = await server.people("ann", "bob")
    first, second = await ann.connect(), await ann.connect()
    third = await ann.open()
    assert await third.closed() == 4429
    with pytest.raises(ConnectionError):
        await third.next()
    await first.nothing_more()
    await bob.connect()
    await second.close()
    await first.drain()
    await _until_connections(server, 2)
    await ann.connect()


async def test_the_default_is_100_connections_of_a_user(server: Server) -> None:
    ann = await server.person("ann")
    await asyncio.gather(*(ann.connect() for _ in range(100)))
    assert await (await ann.open()).closed() == 4429


async def test_a_shutdown_is_1001_and_says_when_to_come_back(server: Server) -> None:
    people = await server.people(*(f"user{number}" for number in range(8)))
    clients = [await person.connect() for person in people]
    await server.stop()
    assert [await client.closed() for client in clients] == [1001] * 8
    waits = []
    for client in clients:
        reason = json.loads(client.close_reason)
        assert reason.keys() == {"retry_in_ms"}
        assert type(reason["retry_in_ms"]) is int
        assert 0 <= reason["retry_in_ms"] <= 60_000
        waits.append(reason["retry_in_ms"])
    assert len(set(waits)) > 1, "a number of its own for each connection"


@pytest.mark.stores
async def test_what_was_acked_before_a_shutdown_is_there_after_it(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    for number in range(200):
        await client.send({"type": "send_message", "chat_id": chat_id, "content": str(number), "id": number})
    await client.answer_to(0)
    await server.stop()
    await client.closed()
    acked = []
    for number in range(200):
        try:
            acked.append((await client.answer_to(number))["message"]["content"])
        except ConnectionError:
            break
    await server.start()
    stored = (await ann.get(f"/chats/{chat_id}/messages", limit=200))["messages"]
    contents = [message["content"] for message in stored]
    assert contents == [str(number) for number in range(len(stored))]
    assert set(acked) <= set(contents)


async def test_a_silent_peer_is_pinged_and_then_ended_with_4408(serve: Serve) -> None:
    server = await serve(ping_interval_s=1, ping_timeout_s=1)
    ann = await server.person("ann")
    async with server.http.ws_connect(
        server.ws_url, params={"token": str(ann.token)}, autoping=False
    ) as socket:
        kinds: list[Any] = []
        async with within(8):
            while (message := await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                kinds.append(message.type)
        assert kinds[:2] == [WSMsgType.TEXT, WSMsgType.PING]
        assert set(kinds[1:]) == {WSMsgType.PING}
        assert socket.close_code == 4408


async def test_any_frame_counts_as_a_sign_of_life_and_the_applications_ping_is_not_needed(
    serve: Serve,
) -> None:
    server = await serve(ping_interval_s=1, ping_timeout_s=1)
    ann, bob = await server.people("ann", "bob")
    quiet = await bob.connect()  # answers ping control frames, as every WebSocket client does by itself
    async with server.http.ws_connect(
        server.ws_url, params={"token": str(ann.token)}, autoping=False
    ) as socket:
        pings = 0
        async with within(12):
            while pings < 3:
                message = await socket.receive()
                if message.type is WSMsgType.PING:
                    pings += 1
                    await socket.send_str('{"type":"typing"}')
                else:
                    assert message.type is WSMsgType.TEXT
    await quiet.nothing_more()


async def test_a_ping_control_frame_is_answered_with_its_payload(server: Server) -> None:
    ann = await server.person("ann")
    async with server.http.ws_connect(
        server.ws_url, params={"token": str(ann.token)}, autoping=False
    ) as socket:
        await socket.receive()
        await socket.ping(b"payload")
        pong = await socket.receive(timeout=5)
        assert (pong.type, bytes(pong.data)) == (WSMsgType.PONG, b"payload")


async def test_other_origins_are_refused_with_4403_on_ws_and_403_over_rest(serve: Serve) -> None:
    server = await serve(cors_origins=(ORIGIN,))
    ann = await server.person("ann")
    elsewhere = {"Origin": "https://evil.example.org"}
    client = await ann.open_raw(headers=elsewhere)
    assert await client.closed() == 4403
    with pytest.raises(ConnectionError):
        await client.next()
    assert_error(await ann.request("GET", "/users/me", headers=elsewhere), 403, "forbidden")
    null = {"Origin": "null"}
    assert await (await ann.open_raw(headers=null)).closed() == 4403
    assert_error(await ann.request("GET", "/users/me", headers=null), 403, "forbidden")


@pytest.mark.parametrize("origin", [ORIGIN, ORIGIN.upper(), None, "own"])
async def test_listed_origins_our_own_and_none_at_all_pass(serve: Serve, origin: str | None) -> None:
    server = await serve(cors_origins=(ORIGIN,))
    ann = await server.person("ann")
    origin = server.url if origin == "own" else origin
    headers = {} if origin is None else {"Origin": origin}
    assert (await (await ann.open_raw(headers=headers)).next())["type"] == "connected"
    assert (await ann.request("GET", "/users/me", headers=headers))[0] == 200


async def test_without_the_setting_any_page_may_read_the_answers_but_without_credentials(
    server: Server,
) -> None:
    ann = await server.person("ann")
    headers = {"Origin": "https://any.example.org", "Authorization": f"Bearer {ann.token}"}
    client = await ann.open_raw(headers={"Origin": "https://any.example.org"})
    assert (await client.next())["type"] == "connected"
    for path, status in (("/api/users/me", 200), ("/api/users/99", 404)):
        async with server.http.get(server.url + path, headers=headers) as answer:
            assert answer.status == status
            assert answer.headers["Access-Control-Allow-Origin"] in ("*", headers["Origin"])
            assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_preflight_is_answered_for_every_call(server: Server) -> None:
    headers = {
        "Origin": "https://any.example.org",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with server.http.options(f"{server.url}/api/users/me", headers=headers) as answer:
        assert answer.status in (200, 204)
        assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
        assert {"authorization", "content-type"} <= {
            name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")
        }


async def _until_connections(server: Server, count: int) -> None:
    """The server hears of a closed connection a little later than its client."""
    async with within(5):
        while len(server.chat_app.context.connections) > count:
            await asyncio.sleep(0.005)


async def test_what_a_raw_peer_sends_is_seen_at_the_time_of_the_engines_clock(server: Server) -> None:
    engine = server.app[SIO].eio
    engine.clock = clock = ManualClock()
    ann = await server.person("ann")
    client = await ann.connect()
    (link,) = engine.sockets.values()
    assert link.last_seen == clock.now
    clock.turn(5)
    await client.done("ping")
    assert link.last_seen == clock.now


async def test_a_raw_handshake_with_handler_cancellation(server: Server) -> None:
    assert server._runner is not None
    assert server._runner.server is not None
    server._runner.server.handler_cancellation = True
    ann = await server.person("ann")
    client = await server.open(ann.token)
    assert (await client.next())["type"] == "connected"
