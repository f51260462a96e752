"""How connections end: the last event says why, and clients come back by themselves exactly when they should."""

import asyncio
import json
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web

from handlers.wire.endings import Ending
from server.runner import Runner
from tests.conftest import Serve, Server
from tests.engine.peers import Peer
from tests.patience import SLACK, within
from tests.socketio.conftest import TRANSPORTS, connected, joined
from tests.socketio.node import Node
from tests.socketio.windows import Event, Notice

ENDED_BY_SERVER = "io server disconnect"


async def reachable(server: Server) -> None:
    """Returns when the server could write to all clients at once: each has a WebSocket, or a poll that waits."""
    hub: Any = server.chat_app.context.hub
    async with within(5):
        while any(
            link.wire is None and not link.polling.is_waiting for link in hub._sio.eio.sockets.values()
        ):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_after_a_logout_the_client_gets_closing_and_stays_away(
    server: Server, node: Node, name: str
) -> None:
    ann, bob = await server.people("ann", "bob")
    others = await connected(node, bob, TRANSPORTS[name])
    client = await connected(node, ann, TRANSPORTS[name])
    if name == "upgrade":
        await client.notice("upgrade")
    await ann.post("/auth/logout")
    closing, reason = await client.ended()
    assert closing.keys() == {"code", "reason"}
    assert closing["code"] == 4403
    assert closing["reason"] != ""
    assert reason == ENDED_BY_SERVER
    notices = [seen for seen in client.everything if isinstance(seen, Notice) and seen.what == "disconnect"]
    assert [notice.details["active"] for notice in notices] == [False], "it would come back"
    await others.nothing_more()


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_after_a_restart_the_client_comes_back_by_itself(server: Server, node: Node, name: str) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await joined(await connected(node, ann, TRANSPORTS[name]), chat_id)
    if name == "upgrade":
        await client.notice("upgrade")
    await reachable(server)
    await server.stop()
    closing, reason = await client.ended()
    assert closing.keys() == {"code", "reason", "retry_in_ms"}
    assert closing["code"] == 1001
    assert 0 <= closing["retry_in_ms"] <= 5000
    assert reason in ("transport close", "transport error")
    await server.start()
    name_of_first, (payload,) = await client.next()
    assert (name_of_first, payload["user_id"]) == ("connected", ann.id)
    await client.drain()
    assert (await client.done("join_chat", chat_id=chat_id, after_seq=0))["gap"] is False
    await ann.say(chat_id, "hello again")
    assert (await client.next("new_message")).payload["message"]["content"] == "hello again"


async def test_a_client_between_two_polls_hears_that_the_server_goes_away(server: Server) -> None:
    ann = await server.person("ann")
    peer = Peer(server.http, f"{server.url}/socket.io/")
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40" + json.dumps({"token": ann.token}))
    while '"connected"' not in (await peer.poll(sid))[1]:
        pass
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    status, body = await peer.poll(sid)
    assert status == 200
    assert json.loads(body.split("\x1e")[0].removeprefix("42"))[1]["code"] == 1001
    await stopping


async def test_the_time_to_come_back_differs_from_client_to_client(server: Server, node: Node) -> None:
    people = [await server.person(f"person{number}") for number in range(8)]
    clients = [await connected(node, person, TRANSPORTS["websocket"]) for person in people]
    await server.stop()
    retries_in_ms = {(await client.ended())[0]["retry_in_ms"] for client in clients}
    assert len(retries_in_ms) > 1


async def test_a_silent_client_gets_closing_and_is_cut_off(serve: Serve) -> None:
    server = await serve(ping_interval_s=1, ping_timeout_s=1)
    ann = await server.person("ann")
    socket = await Peer(server.http, f"{server.url}/socket.io/").direct()
    socket.answers_pings = False
    await socket.send("40" + json.dumps({"token": ann.token}))
    received = [str(await socket.receive()) for _ in range(3)]
    assert json.loads(received[2].removeprefix("42"))[1]["code"] == 4408
    assert await socket.close_code() == 1006, "a DISCONNECT before it would keep the client away"


async def test_a_waiting_poll_is_answered_at_once_when_the_session_ends(server: Server) -> None:
    ann = await server.person("ann")
    peer = Peer(server.http, f"{server.url}/socket.io/")
    sid = (await peer.open())["sid"]
    assert await peer.post(sid, "40" + json.dumps({"token": ann.token})) == (200, "ok")
    greeting = (await peer.poll(sid))[1]
    while '"connected"' not in greeting:
        greeting += (await peer.poll(sid))[1]
    poll = asyncio.create_task(peer.poll(sid))
    await reachable(server)
    await ann.post("/auth/logout")
    # The heartbeat alone would answer it after 25 s.
    status, body = await asyncio.wait_for(poll, 2 * SLACK)
    assert status == 200
    closing, disconnect = body.split("\x1e")
    assert json.loads(closing.removeprefix("42"))[1]["code"] == 4403
    assert disconnect == "41", "a CLOSE in the same answer would make the official client forget both"
    assert (await peer.poll(sid))[0] == 400
    assert (await peer.post(sid, '420["ping"]'))[0] == 400


async def test_closing_is_sent_after_all_waiting_events(server: Server) -> None:
    ann = await server.person("ann")
    peer = Peer(server.http, f"{server.url}/socket.io/")
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40" + json.dumps({"token": ann.token}))
    while '"connected"' not in (await peer.poll(sid))[1]:
        pass
    poll = asyncio.create_task(peer.poll(sid))
    await reachable(server)
    (connection,) = server.chat_app.context.connections.of(ann.id)
    hub = server.chat_app.context.hub
    for number in range(100):
        hub.emit("typing", {"number": number}, room=connection.id)
    hub.end(connection.id, Ending.REVOKED)
    answers = [await poll]
    while answers[-1][0] == 200:
        answers.append(await peer.poll(sid))
    received = "\x1e".join(body for status, body in answers if status == 200).split("\x1e")
    assert received[:100] == [f'42["typing",{{"number":{number}}}]' for number in range(100)]
    assert json.loads(received[100].removeprefix("42"))[0] == "closing"
    assert received[101:] == ["41"]


async def test_a_connection_of_the_last_moment_does_not_hold_up_the_stop() -> None:
    runner = Runner(web.Application(), access_log=None, shutdown_timeout=60)
    await runner.setup()
    assert runner.server is not None
    late = Mock(asyncio.Transport, **{"get_extra_info.return_value": None})
    # Its task starts only after the idle connections have been asked to close.
    asyncio.get_running_loop().call_soon(runner.server().connection_made, late)
    async with within(5):
        await runner.cleanup()
    assert late.close.called


async def test_messages_on_their_way_when_the_session_ends_are_published_in_order(
    serve: Serve, node: Node, transport: dict[str, Any]
) -> None:
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    watcher = await joined(await connected(node, bob, TRANSPORTS["websocket"]), chat_id)
    client = await joined(await connected(node, ann, transport), chat_id)
    logout = asyncio.create_task(ann.post("/auth/logout"))
    sent = 0
    while not logout.done():
        sent += 1
        await client.emit("send_message", {"chat_id": chat_id, "content": str(sent)})
        await asyncio.sleep(0)
    await client.ended()
    await bob.say(chat_id, "the last one")
    received = []
    while (content := (await watcher.next("new_message")).payload["message"]["content"]) != "the last one":
        received.append(content)
    assert received == [str(number + 1) for number in range(len(received))]
    assert len(received) < sent
    await watcher.nothing_more("new_message")


async def test_a_client_that_leaves_by_itself_gets_no_closing(
    serve: Serve, node: Node, transport: dict[str, Any]
) -> None:
    server = await serve(presence_grace_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    watcher = await joined(await connected(node, bob, TRANSPORTS["websocket"]), chat_id)
    client = await joined(await connected(node, ann, transport), chat_id)
    await client.close()
    assert (await watcher.next("user_status")).payload["user_id"] == ann.id
    assert (await watcher.next("user_offline")).payload["user_id"] == ann.id
    assert not [seen for seen in client.everything if isinstance(seen, Event) and seen.name == "closing"]
