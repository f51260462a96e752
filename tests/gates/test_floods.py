"""Peers that ask for more than their budget: they are held up, then ended; others are not."""

import asyncio
import json
from collections.abc import Callable

import pytest

from server.keys import SIO
from tests.attacks.frames import command, connect, event, text
from tests.clients.bare import CONTINUATION, PING, TEXT, BareSocket, frame
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.engine.peers import Peer, until

on_sqlite = pytest.mark.parametrize("serve", ["sqlite"], indirect=True)
ENGINE = "/socket.io/?EIO=4&transport=websocket"
FLOOD = 2_000

STRANGERS = {
    "pongs": text("3"),
    "pings": frame(PING),
    "noops": text("6"),
    "fragments": frame(CONTINUATION, b"", flags=0),
    "bad tokens": text('40{"token":"x"}'),
    "other namespaces": text("40/other,"),
}


@on_sqlite
@pytest.mark.parametrize("kind", STRANGERS)
async def test_a_stranger_who_sends_more_than_a_greeting_is_ended(serve: Serve, kind: str) -> None:
    server = await serve()
    socket = await BareSocket.open(server.port, ENGINE)
    if kind == "fragments":
        socket.send(frame(TEXT, b"4", flags=0))
    socket.send(STRANGERS[kind] * FLOOD)
    assert await socket.closed() == 1008
    socket.close()


@on_sqlite
async def test_a_stranger_cannot_have_much_kept(serve: Serve) -> None:
    server = await serve()
    socket = await BareSocket.open(server.port, ENGINE)
    socket.send(frame(TEXT, b"4" * 100_000)[:50_000])
    assert await socket.closed() == 1009
    socket.close()


@on_sqlite
async def test_a_stranger_who_polls_is_refused_a_flood(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    peer = Peer(ann.http, f"{server.url}/socket.io/")
    sid = (await peer.open())["sid"]
    await peer.post(sid, "\x1e".join(["3"] * FLOOD))
    assert (await peer.post(sid, "3"))[0] == 400


KNOWN: dict[str, Callable[[int], bytes]] = {
    "raw unknown": lambda _: command("nonsense"),
    "raw typing": lambda chat_id: command("typing", chat_id=chat_id, is_typing=True),
    "raw leaves": lambda chat_id: command("leave_chat", chat_id=chat_id),
    "raw pings": lambda _: frame(PING, b"x"),
    "socket.io unknown": lambda _: event("nonsense", {}),
    "socket.io pongs": lambda _: text("3"),
}


async def _opened(server: Server, person: Person, kind: str) -> BareSocket:
    if kind.startswith("raw"):
        socket = await BareSocket.open(server.port, f"/ws?token={person.token}")
        await socket.next()
        return socket
    socket = await BareSocket.open(server.port, ENGINE)
    socket.send(connect(person.token))
    while b'"connected"' not in (await socket.next()).payload:
        pass
    return socket


async def _read_away(socket: BareSocket) -> None:
    while True:
        await socket.next()


@on_sqlite
@pytest.mark.parametrize("kind", KNOWN)
async def test_a_user_who_floods_is_held_up_and_at_last_ended(
    serve: Serve, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.engine.pace.FLOOD_S", 0.2)
    server = await serve(frames_per_s=20)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    flood = KNOWN[kind](chat_id)
    socket = await _opened(server, ann, kind)
    bobs = await bob.connect()
    socket.send(flood * 2_000)
    await bobs.done("ping")
    assert await socket.closed() == 1008
    socket.close()
    context = server.chat_app.context
    await until(lambda: not context.connections.of(ann.id))
    await bobs.done("ping")


@on_sqlite
async def test_an_honest_burst_passes(serve: Serve) -> None:
    """Nine hundred small commands in one turn, as a client sends them that was away."""
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    frames = [{"type": "send_message", "chat_id": chat_id, "content": "x", "id": n} for n in range(900)]
    await asyncio.gather(*map(client.send, frames))
    acks = [await client.answer_to(n) for n in range(900)]
    assert [ack["seq"] for ack in acks] == list(range(1, 901))


@on_sqlite
async def test_a_client_may_send_much_right_behind_its_token(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    socket = await BareSocket.open(server.port, ENGINE)
    sends = [
        text(f"42{n}" + json.dumps(["send_message", {"chat_id": chat_id, "content": "x"}]))
        for n in range(900)
    ]
    socket.send(connect(ann.token) + b"".join(sends))
    acks = 0
    while acks < 900:
        acks += (await socket.next()).payload.startswith(b"43")
    socket.close()


@on_sqlite
async def test_connections_of_a_user_share_a_budget_that_outlives_them(serve: Serve) -> None:
    server = await serve(user_frames_per_s=10)
    ann, bob = await server.people("ann", "bob")
    first = await ann.connect()
    budget = server.app[SIO].eio.budgets.of_owner(ann.id)
    for _ in range(20):
        await first.send({"type": "nonsense"})
    loop = asyncio.get_running_loop()
    await until(lambda: budget.ahead_s(loop.time()) > 1)
    await first.close()
    await ann.connect()
    assert server.app[SIO].eio.budgets.of_owner(ann.id) is budget
    assert server.app[SIO].eio.budgets.of_owner(bob.id).ahead_s(loop.time()) < 5


@on_sqlite
async def test_requests_of_strangers_wait_and_those_of_users_do_not(serve: Serve) -> None:
    server = await serve(stranger_frames_per_s=1)
    ann = await server.person("ann")
    loop = asyncio.get_running_loop()
    asked = [asyncio.ensure_future(_get(server, "/health/live")) for _ in range(30)]
    await until(lambda: sum(each.done() for each in asked) >= 5)
    began = loop.time()
    await ann.get("/users/me")
    client = await ann.connect()
    await client.done("ping")
    assert loop.time() - began < 1
    assert not all(each.done() for each in asked)
    await server.stop()
    statuses = await asyncio.gather(*asked)
    assert set(statuses) <= {200, 429, 503}


async def _get(server: Server, path: str) -> int:
    async with server.http.get(server.url + path) as answer:
        return answer.status


@on_sqlite
async def test_a_peer_that_forwards_and_is_not_trusted_is_named_once(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await serve()
    ann = await server.person("ann")
    for _ in range(3):
        async with server.http.get(
            f"{server.url}/api/users/me",
            headers={"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {ann.token}"},
        ) as answer:
            assert answer.status == 200
    assert capsys.readouterr().out.count("TRUSTED_PROXIES") == 1
