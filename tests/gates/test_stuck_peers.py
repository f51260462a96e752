"""Clients that read nothing and clients that are gone without a word: the memory they cost, and that others are not
delayed."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.clients.bare import BINARY, TEXT, BareSocket, frame
from tests.clients.program import running
from tests.clients.stuck import StuckReader
from tests.clients.wires import WIRES
from tests.conftest import Serve
from tests.engine.peers import until

KIB = 1024
MIB = 1024 * KIB
ENOUGH = 2000
"""This many messages of 10 KiB are more than any system buffers for a connection."""

on_sqlite = pytest.mark.stores("sqlite")


@on_sqlite
@pytest.mark.parametrize("wire", WIRES)
async def test_who_reads_nothing_is_sent_no_typing_above_256_kib_and_ended_above_1_mib(
    serve: Serve, wire: str
) -> None:
    server = await serve(send_buffer_bytes=64 * KIB, messages_per_s=0, typing_per_s=0)
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    slow = StuckReader(wire, carl)
    await slow.join(chat_id)
    context = server.chat_app.context
    (connection,) = context.connections.of(carl.id)
    sent, unread, delays_s = 0, [0], []

    async def send_until_unread(limit: int) -> None:
        """Sends messages one by one until more than `limit` bytes wait for the slow client, or its connection has
        ended."""
        nonlocal sent
        while unread[-1] <= limit and context.connections.get(connection.id) is not None:
            assert sent < ENOUGH
            started = time.monotonic()
            await anns.done("send_message", chat_id=chat_id, content=f"{sent:0100}" * 100)
            seen = (await bobs.next("new_message"))["message"]["content"]
            delays_s.append(time.monotonic() - started)
            assert int(seen[:100]) == sent
            sent += 1
            unread.append(context.hub.unread_bytes(connection.id))

    await send_until_unread(256 * KIB)
    await anns.done("typing", chat_id=chat_id, is_typing=True)
    assert (await bobs.next("typing"))["is_typing"] is True
    await anns.done("stream_message", chat_id=chat_id, stream_id="answer", content="It")
    assert (await bobs.next("message_stream"))["content"] == "It"
    assert context.hub.unread_bytes(connection.id) == unread[-1]
    assert context.connections.get(connection.id) is connection
    await send_until_unread(2 * MIB)
    assert context.connections.get(connection.id) is None
    assert max(unread) <= MIB + 16 * KIB
    received, code = await slow.read_all()
    slow.close()
    assert code == 1013
    assert not {"typing", "message_stream"}.intersection(name for name, _ in received)
    contents = [payload["message"]["content"] for name, payload in received if name == "new_message"]
    assert contents == [f"{number:0100}" * 100 for number in range(len(contents))]
    assert len(contents) < sent
    assert sorted(delays_s)[len(delays_s) // 2] < 0.5, "a second and more, if the slow client delayed others"
    client = await carl.connect()
    ack = await client.done("join_chat", chat_id=chat_id, after_seq=len(contents))
    assert ack["replayed"] == sent - len(contents)


def resident_bytes(pid: int, field: str) -> int:
    (line,) = [
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(field)
    ]
    return int(line.split()[1]) * KIB


proc_only = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="has no /proc")


@proc_only
async def test_the_memory_of_the_server_stays_flat_while_thirty_read_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, RATE_LIMITS="off") as program:
        ann, bob = await program.person("ann"), await program.person("bob")
        chat_id = await ann.chat(bob)
        anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
        readers = [StuckReader(wire, bob) for wire in [*WIRES] * 10]
        for reader in readers:
            await reader.join(chat_id)
        before = resident_bytes(program.pid, "VmRSS")
        for number in range(1200):
            await anns.send(
                {"type": "send_message", "chat_id": chat_id, "content": "x" * 10_000, "id": number}
            )
            if number >= 16:
                await anns.answer_to(number - 16)
        await asyncio.gather(*(anns.answer_to(number) for number in range(1184, 1200)))
        grown = resident_bytes(program.pid, "VmHWM") - before
        assert [frame["seq"] for frame in await bobs.drain()] == list(range(1, 1201))
        # Without a bound it would be 30 times 12 MB; 30 MiB are allowed, and the database has a cache of its own.
        assert grown < 100 * MIB
        for reader in readers:
            reader.close()
        await anns.close()
        await bobs.close()


@proc_only
async def test_a_flood_of_attachments_is_bounded(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        ann, port = await program.person("ann"), program.port
        before = resident_bytes(program.pid, "VmRSS")
        path = "/socket.io/?EIO=4&transport=websocket"
        hoarders = [await BareSocket.open(port, path) for _ in range(30)]
        for hoarder in hoarders:
            hoarder.send(frame(TEXT, f'40{{"token":"{ann.token}"}}'.encode()))
            while b'"connected"' not in (await hoarder.next()).payload:
                pass
            hoarder.send(frame(TEXT, b'4510-["x",{"_placeholder":true,"num":0}]'))
            for _ in range(9):  # as much as a message may have; the last part never comes
                hoarder.send(frame(BINARY, bytes(14_000)))
        greedy = await BareSocket.open(port, path)
        greedy.send(frame(TEXT, f'40{{"token":"{ann.token}"}}'.encode()))
        greedy.send(frame(TEXT, b'4510-["x"]'))
        for _ in range(9):
            greedy.send(frame(BINARY, bytes(100_000)))
        assert await greedy.closed() == 1009
        stranger = await BareSocket.open(port, path)
        stranger.send(frame(TEXT, b'4510-["x"]') + frame(BINARY, bytes(100_000)))
        assert await stranger.closed() == 1009
        grown = resident_bytes(program.pid, "VmHWM") - before
        assert grown < 30 * MIB
        client = await ann.connect()
        await client.nothing_more()
        for socket in (*hoarders, greedy, stranger):
            socket.close()
        await client.close()


@on_sqlite
async def test_half_open_connections_are_noticed_by_the_heartbeat_on_every_wire(serve: Serve) -> None:
    server = await serve(ping_interval_s=1, ping_timeout_s=1, presence_grace_s=0)
    names = {wire: f"gone-{wire}" for wire in WIRES}
    ann, *others = await server.people("ann", *names.values())
    chat_id = await ann.chat(*others)
    anns = await ann.joined(chat_id)
    readers = [StuckReader(wire, person) for wire, person in zip(WIRES, others, strict=True)]
    for reader in readers:
        await reader.join(chat_id)
    connections = server.chat_app.context.connections
    assert len(connections) == 4
    # As if their cables were pulled: they read nothing, answer nothing, and close nothing.
    await until(lambda: len(connections) == 1)
    offline = {(await anns.next("user_offline"))["user_id"] for _ in others}
    assert offline == {person.id for person in others}
    heartbeat = server.chat_app.context.hub._sio.eio.heartbeat  # type: ignore[attr-defined]
    assert len(heartbeat) == 1
    codes = [(await reader.read_all())[1] for reader in readers]
    assert codes == [4408] * 3
    for reader in readers:
        reader.close()
    await anns.done("ping")
