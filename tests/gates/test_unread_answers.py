"""Clients that ask again and again and never read an answer, on every wire and for every kind of answer."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from tests.attacks.frames import command, connect, text
from tests.clients.bare import BINARY, PING, BareSocket, frame
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.engine.peers import Peer

KIB = 1024
LIMIT_BYTES = 1024 * KIB
AT_ONCE = 500
ENOUGH = 1500
"""This many times `AT_ONCE` questions have more answers than any system buffers for a connection."""
SEND_BUFFER_BYTES = 16 * KIB
"""Small, so that sending `AT_ONCE` questions waits for the server to take about as many. A system buffers megabytes and
has room again when a third of them is free: one call would wait for the answers to tens of thousands of questions."""
SEND_S = 30
"""The most that sending `AT_ONCE` questions may take. It takes 0.1 s, on an overloaded machine 1 s."""

on_sqlite = pytest.mark.stores("sqlite")
BUDGETS_OFF = {
    "messages_per_s": 0,
    "joins_per_s": 0,
    "frames_per_s": 0,
    "bytes_per_s": 0,
    "user_frames_per_s": 0,
    "user_bytes_per_s": 0,
    "stranger_frames_per_s": 0,
}


class Asker(NamedTuple):
    send: Callable[[], Awaitable[None]]
    close: Callable[[], None]


def event(name: str, payload: Any = None, ack_id: int | None = 1) -> str:
    return f"42{'' if ack_id is None else ack_id}{json.dumps([name, payload or {}])}"


RAW = {
    "errors with an id": command("nonsense", id=1),
    "errors without": command("nonsense"),
    "acks": command("leave_chat", chat_id=1, id=1),
    "pongs of the application": command("ping"),
    "pongs of the protocol": frame(PING, b"x" * 125),
    "joins refused": command("join_chat", chat_id=10**9, id=1),
    "bad frames, but not too many in a row": frame(BINARY, b"x") * 20 + command("ping"),
    "invalid fields": command("send_message", id=1, chat_id="x" * 100),
}
SOCKETIO = {
    "errors with an ack": event("nonsense"),
    "error events": event("nonsense", ack_id=None),
    "acks": event("leave_chat", {"chat_id": 1}),
    "pongs of the application": event("ping", ack_id=None),
    "joins refused": event("join_chat", {"chat_id": 10**9}),
    "bad payloads": event("nonsense", [1]),
    "invalid fields": event("send_message", {"chat_id": "x" * 100}),
}


async def _raw(server: Server, person: Person, what: str) -> Asker:
    socket = await BareSocket.open(
        server.port,
        f"/ws?token={person.token}",
        receive_buffer_bytes=4096,
        send_buffer_bytes=SEND_BUFFER_BYTES,
    )
    await socket.next()
    return _writing(socket, RAW[what] * AT_ONCE)


async def _websocket(server: Server, person: Person, what: str) -> Asker:
    path = "/socket.io/?EIO=4&transport=websocket"
    socket = await BareSocket.open(
        server.port, path, receive_buffer_bytes=4096, send_buffer_bytes=SEND_BUFFER_BYTES
    )
    socket.send(connect(person.token))
    while b'"connected"' not in (await socket.next()).payload:
        pass
    question = frame(PING, b"x" * 125) if what == "pongs of the protocol" else text(SOCKETIO[what])
    return _writing(socket, question * AT_ONCE)


def _writing(socket: BareSocket, questions: bytes) -> Asker:
    async def send() -> None:
        socket.send(questions)
        await socket.drained()

    return Asker(send, socket.close)


async def _polling(server: Server, person: Person, what: str) -> Asker:
    peer = Peer(person.http, f"{server.url}/socket.io/")
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40" + json.dumps({"token": person.token}))
    body = "\x1e".join([SOCKETIO[what]] * AT_ONCE)

    async def send() -> None:
        await peer.post(sid, body)

    return Asker(send, lambda: None)


CASES = [
    *((_raw, what) for what in RAW),
    *((_websocket, what) for what in (*SOCKETIO, "pongs of the protocol")),
    *((_polling, what) for what in ("errors with an ack", "joins refused")),
    *(
        pytest.param(_polling, what, marks=pytest.mark.long)
        for what in SOCKETIO.keys() - {"errors with an ack", "joins refused"}
    ),
]


@on_sqlite
@pytest.mark.parametrize(("wire", "what"), CASES, ids=lambda part: getattr(part, "__name__", part))
async def test_who_reads_no_answer_is_ended_and_never_owed_more_than_the_limit(
    serve: Serve, wire: Callable[[Server, Person, str], Awaitable[Asker]], what: str
) -> None:
    server = await serve(send_buffer_bytes=64 * KIB, **BUDGETS_OFF)
    ann = await server.person("ann")
    asker = await wire(server, ann, what)
    context = server.chat_app.context
    (connection,) = context.connections.of(ann.id)
    most = 0
    for _ in range(ENOUGH):
        try:
            await asyncio.wait_for(asker.send(), SEND_S)
        except (ConnectionError, AssertionError):
            break
        most = max(most, context.hub.unread_bytes(connection.id))
        if context.connections.get(connection.id) is None:
            break
    assert context.connections.get(connection.id) is None
    assert most <= LIMIT_BYTES + 256 * KIB
    asker.close()
    assert (await ann.connect()) is not None


async def _joined(server: Server, person: Person, chat_id: int) -> BareSocket:
    """A raw connection that has joined a chat and reads nothing more."""
    stuck = await BareSocket.open(server.port, f"/ws?token={person.token}", receive_buffer_bytes=4096)
    stuck.send(command("join_chat", chat_id=chat_id, id=1))
    while b'"ack"' not in (await stuck.next()).payload:
        pass
    return stuck


@on_sqlite
async def test_hundreds_who_overflow_in_one_turn_cost_the_others_nothing(serve: Serve) -> None:
    """Each connection used to be ended within the write to the one before it."""
    server = await serve(
        send_buffer_bytes=32 * KIB, buffer_limit_bytes=32 * KIB, max_connections_per_user=0, **BUDGETS_OFF
    )
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    context = server.chat_app.context
    stuck = [await _joined(server, bob, chat_id) for _ in range(300)]
    anns = await ann.joined(chat_id)
    reader = await ann.joined(chat_id)
    sent = 0
    while context.connections.of(bob.id):
        await anns.done("send_message", chat_id=chat_id, content=f"{sent:0100}" * 90)
        sent += 1
        assert sent < 2000
    got = [int((await reader.next("new_message"))["message"]["content"][:100]) for _ in range(sent)]
    assert got == list(range(sent))
    for each in stuck:
        each.close()


@on_sqlite
async def test_an_owner_is_not_owed_so_much_over_all_connections(serve: Serve) -> None:
    server = await serve(send_buffer_bytes=64 * KIB, max_unsent_bytes_per_user=2 * 1024 * KIB, **BUDGETS_OFF)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    context = server.chat_app.context
    stuck = [await _joined(server, bob, chat_id) for _ in range(20)]
    anns = await ann.joined(chat_id)
    most = 0
    while len(context.connections.of(bob.id)) == 20:
        await anns.done("send_message", chat_id=chat_id, content="x" * 9_000)
        owed = [context.hub.unread_bytes(connection.id) for connection in context.connections.of(bob.id)]
        most = max(most, sum(owed))
    assert most < 2.5 * 1024 * KIB + 20 * 256 * KIB
    assert max(owed) < 1024 * KIB
    for each in stuck:
        each.close()


@on_sqlite
async def test_an_answer_to_a_poll_is_owed_until_it_is_taken(serve: Serve) -> None:
    """On however many TCP connections the polls come: one answer is under way, and its bytes count."""
    server = await serve(**BUDGETS_OFF)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    peer = Peer(bob.http, f"{server.url}/socket.io/")
    sid = (await peer.open())["sid"]
    await peer.post(
        sid, "40" + json.dumps({"token": bob.token}) + "\x1e" + event("join_chat", {"chat_id": chat_id})
    )
    while "43" not in (await peer.poll(sid))[1]:
        pass
    anns = await ann.joined(chat_id)
    context = server.chat_app.context
    (connection,) = context.connections.of(bob.id)
    poll = f"GET /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    stuck, most = [], 0
    while context.connections.get(connection.id) is not None:
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.setblocking(False)
        await asyncio.get_running_loop().sock_connect(wire, ("127.0.0.1", server.port))
        await asyncio.get_running_loop().sock_sendall(wire, poll)
        stuck.append(wire)
        for _ in range(60):
            await anns.done("send_message", chat_id=chat_id, content="x" * 9_000)
            most = max(most, context.hub.unread_bytes(connection.id))
        assert len(stuck) < 20
    assert most <= LIMIT_BYTES + 64 * KIB
    for wire in stuck:
        wire.close()
