"""Peers that do not read, and peers that are not there any more: what they cost, and whom."""

import asyncio
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.bare import BINARY, TEXT, BareSocket, frame
from tests.clients.people import Person
from tests.clients.stuck import WIRES, StuckReader
from tests.conftest import Serve
from tests.engine.peers import until
from tests.gates.test_logs import process

KIB = 1024
MIB = 1024 * KIB
ENOUGH = 2000
"""So many messages of 10 KiB are more than the system takes for anybody, on any machine."""

on_sqlite = pytest.mark.parametrize("serve", ["sqlite"], indirect=True)


@on_sqlite
@pytest.mark.parametrize("wire", WIRES)
async def test_who_reads_nothing_is_sent_no_typing_above_256_kib_and_ended_above_1_mib(
    serve: Serve, wire: str
) -> None:
    server = await serve(messages_per_s=0, typing_per_s=0)
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    slow = StuckReader(wire, carl)
    await slow.join(chat_id)
    context = server.chat_app.context
    (connection,) = context.connections.of(carl.id)
    sent, unread, delays_s = 0, [0], []

    async def send_until_unread(limit: int) -> None:
        """Sends to everybody, one message after the other, until so much waits for the slow one, or he is gone."""
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
    assert context.hub.unread_bytes(connection.id) == unread[-1]
    assert context.connections.get(connection.id) is connection
    await send_until_unread(2 * MIB)
    assert context.connections.get(connection.id) is None
    assert max(unread) <= MIB + 16 * KIB
    told, code = await slow.read_all()
    slow.close()
    assert code == 1013
    assert "typing" not in [name for name, _ in told]
    contents = [payload["message"]["content"] for name, payload in told if name == "new_message"]
    assert contents == [f"{number:0100}" * 100 for number in range(len(contents))]
    assert len(contents) < sent
    assert sorted(delays_s)[len(delays_s) // 2] < 0.25, "a second and more, if he held anybody up"
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
    async with process(tmp_path, RATE_LIMITS="off") as (port, _, server), ClientSession() as http:
        ann, bob = [
            Person(http, f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws", name)
            for name in ("ann", "bob")
        ]
        for person in (ann, bob):
            person.id = (await person.register(person.username))["id"]
            await person.login(person.username)
        chat_id = await ann.chat(bob)
        anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
        readers = [StuckReader(wire, bob) for wire in WIRES * 10]
        for reader in readers:
            await reader.join(chat_id)
        before = resident_bytes(server.pid, "VmRSS")
        for number in range(1200):
            await anns.send(
                {"type": "send_message", "chat_id": chat_id, "content": "x" * 10_000, "id": number}
            )
            if number >= 16:
                await anns.answer_to(number - 16)
        await asyncio.gather(*(anns.answer_to(number) for number in range(1184, 1200)))
        grown = resident_bytes(server.pid, "VmHWM") - before
        assert [frame["seq"] for frame in await bobs.drain()] == list(range(1, 1201))
        # Unbounded, it would be 30 times 12 MB; what is allowed is 30 MiB, and the database has a cache of its own.
        assert grown < 100 * MIB
        for reader in readers:
            reader.close()
        await anns.close()
        await bobs.close()


@proc_only
async def test_a_flood_of_attachments_is_bounded(tmp_path: Path) -> None:
    async with process(tmp_path) as (port, _, server), ClientSession() as http:
        ann = Person(http, f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws", "ann")
        await ann.register("ann")
        await ann.login("ann")
        before = resident_bytes(server.pid, "VmRSS")
        path = "/socket.io/?EIO=4&transport=websocket"
        hoarders = [await BareSocket.open(port, path) for _ in range(30)]
        for hoarder in hoarders:
            hoarder.send(frame(TEXT, f'40{{"token":"{ann.token}"}}'.encode()))
            while b'"connected"' not in (await hoarder.next()).payload:
                pass
            hoarder.send(frame(TEXT, b'4510-["x",{"_placeholder":true,"num":0}]'))
            for _ in range(9):  # as much as a message may have, and the last part never comes
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
        grown = resident_bytes(server.pid, "VmHWM") - before
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
    # Their cables are pulled: nothing is read, nothing answered, and no end of the connection is told.
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
