"""Upgrades that reach another node than that of their session: the WebSocket goes through, byte for byte."""

import asyncio
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from server.engine.backlog import HIGH_WATER_BYTES
from server.nodes import relay_tunnel
from tests.clients.bare import CLOSE, PING, PONG, TEXT, BareSocket, frame
from tests.engine.clocks import ManualClock
from tests.engine.peers import until
from tests.nodes.relay.bare_nodes import BareNode, sid_of
from tests.nodes.relay.conftest import StartNodes
from tests.nodes.relay.leases import Leases


async def test_an_upgrade_through_another_node(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    poll = asyncio.ensure_future(second.peer.poll(sid))
    await until(lambda: first.engine.sockets[sid].polling.is_waiting)
    socket = await second.peer.upgraded(sid)
    assert await poll == (200, "6")
    await until(lambda: first.engine.transport(sid) == "websocket")
    for text in ("4hello", "4" + "ж" * 60_000, b"bytes", b""):
        await socket.send(text)
        assert await socket.receive() == text
    assert (second.relay.tunnels, len(second.relay.traffic), second.engine.sockets) == (1, 1, {})
    await socket.ws.close()
    await until(lambda: not first.engine.sockets)
    await until(lambda: not len(second.relay.traffic))


async def test_thousands_of_frames_both_ways_keep_their_order(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    socket = await second.peer.upgraded(sid)
    texts = [f"4{number} " + "x" * (number % 700) for number in range(5000)]

    async def send() -> None:
        for text in texts:
            await socket.send(text)

    sending = asyncio.create_task(send())
    assert [await socket.receive() for _ in texts] == texts
    await sending


async def test_the_close_code_of_the_node_arrives(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    socket = await second.peer.upgraded(sid)
    await until(lambda: first.engine.transport(sid) == "websocket")
    first.engine.sockets[sid].close("server disconnect", "4bye", code=1013)
    assert await socket.receive() == "4bye"
    assert await socket.close_code() == 1013
    await until(lambda: not len(second.relay.traffic))


async def test_the_close_frame_of_the_client_arrives_and_is_answered(nodes: list[BareNode]) -> None:
    first, second = nodes
    ended: list[str] = []
    first.engine.on("disconnect", lambda _sid, reason: ended.append(reason))
    sid = (await first.peer.open())["sid"]
    socket = await bare_upgraded(second, sid)
    socket.send(frame(TEXT, b"4last"))
    assert (await socket.next()).payload == b"4last"
    socket.send(frame(CLOSE, b"\x0f\xa0"))
    assert (await socket.next()).opcode == CLOSE
    with pytest.raises(ConnectionResetError):
        await socket.next()
    socket.close()
    await until(lambda: ended == ["transport close"])
    await until(lambda: not len(second.relay.traffic))


async def test_pings_of_the_websocket_are_answered_by_the_session_s_node(nodes: list[BareNode]) -> None:
    first, second = nodes
    socket = await bare_upgraded(second, (await first.peer.open())["sid"])
    socket.send(frame(PING, b"there?"))
    assert await socket.next() == (PONG, b"there?")
    socket.close()


async def bare_upgraded(node: BareNode, sid: str, **options: Any) -> BareSocket:
    path = f"/engine.io/?EIO=4&transport=websocket&sid={sid}"
    socket = await BareSocket.open(node.port, path, **options)
    socket.send(frame(TEXT, b"2probe"))
    assert (await socket.next()).payload == b"3probe"
    socket.send(frame(TEXT, b"5"))
    return socket


async def test_a_client_that_reads_nothing_fills_no_memory_between(start_nodes: StartNodes) -> None:
    first, second = await start_nodes(buffer_limit_bytes=HIGH_WATER_BYTES * 4)
    sid = (await first.peer.open())["sid"]
    socket = await bare_upgraded(second, sid, receive_buffer_bytes=4096)
    session = first.engine.sockets[sid]
    await until(lambda: session.upgraded)
    (passage,) = second.relay.traffic._passages
    tunnel = passage.end.__self__  # type: ignore[attr-defined]
    sent = 0
    while not session.closed:
        await first.engine.send(sid, f"{sent:8}" + "x" * 8192)
        sent += 1
        assert sent < 10_000
        await asyncio.sleep(0)
        waiting = [end.transport.get_write_buffer_size() for end in tunnel._ends]
        assert max(waiting, default=0) <= relay_tunnel.BUFFERED_BYTES + relay_tunnel.READ_BYTES
    assert sent > 16, "what the limit allows"
    socket.close()
    await until(lambda: not len(second.relay.traffic))


async def test_a_client_that_reads_slowly_gets_everything(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    socket = await bare_upgraded(second, sid, receive_buffer_bytes=4096)
    session = first.engine.sockets[sid]
    await until(lambda: session.upgraded)
    for number in range(60):
        await first.engine.send(sid, f"{number:2}" + "x" * 10_000)
    session.close("server disconnect", code=1001)
    for number in range(60):
        assert (await socket.next()).payload[1:3] == f"{number:2}".encode()
        await asyncio.sleep(0.002)
    assert (await socket.next()).close_code == 1001
    socket.close()


async def test_a_node_that_reads_slowly_stops_the_client(nodes: list[BareNode]) -> None:
    first, second = nodes
    go_on = asyncio.Event()
    heard = 0

    async def slowly(_sid: str, _data: str) -> None:
        nonlocal heard
        await go_on.wait()
        heard += 1

    first.engine.async_handlers = False
    first.engine.on("message", slowly)
    sid = (await first.peer.open())["sid"]
    socket = await second.peer.upgraded(sid)
    sent = 0

    async def flood() -> None:
        nonlocal sent
        for _ in range(4000):
            await socket.send("4" + "x" * 8000)
            sent += 1

    flooding = asyncio.create_task(flood())
    before = -1
    while before != sent or not sent:
        before = sent
        await asyncio.sleep(0.3)
    assert sent < 4000
    (passage,) = second.relay.traffic._passages
    tunnel = passage.end.__self__  # type: ignore[attr-defined]
    waiting = [end.transport.get_write_buffer_size() for end in tunnel._ends]
    assert 0 < max(waiting) <= relay_tunnel.BUFFERED_BYTES + relay_tunnel.READ_BYTES
    go_on.set()
    await flooding
    await until(lambda: heard == 4000)
    await socket.ws.close()


@pytest.mark.parametrize("who", ["owner", "relay"])
async def test_a_node_that_is_killed_takes_its_tunnels_along(nodes: list[BareNode], who: str) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    socket = await second.peer.upgraded(sid)
    await socket.send("4x")
    assert await socket.receive() == "4x"
    if who == "owner":
        first.die()
    else:
        second.relay.traffic.stop()
    assert await socket.close_code() == 1006
    await until(lambda: not first.engine.sockets)
    await until(lambda: not len(second.relay.traffic))


async def test_a_tunnel_ends_with_the_lease_of_its_node(
    start_nodes: StartNodes, leases: Leases, clock: ManualClock
) -> None:
    """A machine without power says nothing to anybody."""
    first, second = await start_nodes(clock=clock)
    sid = (await first.peer.open())["sid"]
    socket = await second.peer.upgraded(sid)
    await until(lambda: len(second.relay.traffic) == 1)
    leases.drop("node1")
    clock.turn(1.0)
    assert await socket.close_code() == 1006


async def test_a_client_that_does_not_end_its_side_is_cut_off_after_a_while(
    start_nodes: StartNodes, clock: ManualClock
) -> None:
    await start_nodes(1, clock=ManualClock())
    first, second = await start_nodes(1, clock=clock)
    sid = (await first.peer.open())["sid"]
    socket = await bare_upgraded(second, sid)
    await until(lambda: first.engine.transport(sid) == "websocket")
    first.engine.sockets[sid].close("server disconnect", "4bye", drop=True)
    assert (await socket.next()).payload == b"4bye"
    with pytest.raises(ConnectionResetError):
        await socket.next()
    assert len(second.relay.traffic) == 1
    clock.turn(relay_tunnel.LINGER_S)
    await until(lambda: not len(second.relay.traffic))
    socket.close()


@pytest.mark.parametrize("name", ["dead", "node1"])
async def test_an_upgrade_of_an_unknown_session_is_refused(nodes: list[BareNode], name: str) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await nodes[1].peer.websocket(sid=sid_of(name))
    assert refused.value.status == 400
    assert len(nodes[1].relay.traffic) == 0


async def test_a_broken_handshake_is_refused_where_it_comes(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    url = second.peer.at("websocket", sid=sid)
    for headers in ({"Upgrade": "websocket"}, {"Upgrade": "websocket", "Connection": "upgrade"}):
        async with second.peer.session.get(url, headers=headers) as answer:
            assert answer.status == 426
    assert (await second.peer.request("GET", url))[0] == 400
    assert len(second.relay.traffic) == 0
    assert await second.peer.post(sid, "4x") == (200, "ok")


async def test_a_killed_node_takes_no_upgrade(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    first.die()
    with pytest.raises(WSServerHandshakeError) as refused:
        await second.peer.websocket(sid=sid)
    assert refused.value.status == 400


@pytest.mark.parametrize("says", [b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"x" * 20_000, b"\r\n\r\n"])
async def test_a_handshake_that_somebody_else_takes_is_refused(
    nodes: list[BareNode], leases: Leases, says: bytes
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    leases.add("somebody", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    with pytest.raises(WSServerHandshakeError) as refused:
        await nodes[1].peer.websocket(sid=sid_of("somebody"))
    assert refused.value.status == 400
    await until(lambda: not len(nodes[1].relay.traffic))
    server.close()


async def test_a_probe_that_is_dropped_leaves_polling_alone(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    socket = await second.peer.websocket(sid=sid)
    await socket.send("wrong")
    assert await socket.close_code() == 1008
    assert await second.peer.post(sid, "4hello") == (200, "ok")
    assert await second.peer.poll(sid) == (200, "4hello")


async def test_a_node_that_goes_away_ends_its_tunnels_some_at_a_time(nodes: list[BareNode]) -> None:
    first, second = nodes
    sids = [(await first.peer.open())["sid"] for _ in range(6)]
    poll = asyncio.ensure_future(second.peer.poll(sids.pop()))
    sockets = [await second.peer.upgraded(sid) for sid in sids]
    traffic = second.relay.traffic
    assert (traffic.tunnel_count, len(traffic)) == (5, 6)
    traffic.end_tunnels(2)
    assert traffic.tunnel_count == 3
    for socket in sockets[:2]:
        assert await socket.close_code() == 1006
    await until(lambda: len(traffic) == 4)
    for socket in sockets[2:]:
        await socket.send("4still there")
        assert await socket.receive() == "4still there"
    traffic.end_tunnels(9)
    await until(lambda: len(traffic) == 1)
    assert not poll.done()
    traffic.stop()
    assert (await poll)[0] == 400
