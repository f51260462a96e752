"""From long-polling to a WebSocket: nothing lost, nothing doubled, nothing out of order."""

import asyncio

import pytest

from server.engine import AsyncServer, EngineServer
from server.engine.polling import Polling
from tests.engine.clocks import ManualClock
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, soon, until


@pytest.fixture
def echo() -> EngineServer:
    server = EngineServer()
    server.on("message", server.send)
    return server


@pytest.fixture
async def peer(serve: Serve, echo: EngineServer) -> Peer:
    return await serve(echo)


async def test_an_upgrade(peer: Peer, echo: EngineServer) -> None:
    sid = (await peer.open())["sid"]
    assert echo.transport(sid) == "polling"
    socket = await peer.websocket(sid=sid)
    await socket.send("2probe")
    assert await socket.receive() == "3probe"
    assert await peer.poll(sid) == (200, "6")
    await socket.send("5")
    await socket.send("4hello")
    assert await socket.receive() == "4hello"
    assert echo.transport(sid) == "websocket"


async def test_a_waiting_poll_is_released_once_and_no_noop_reaches_the_websocket(
    peer: Peer, echo: EngineServer
) -> None:
    sid = (await peer.open())["sid"]
    poll = await peer.waiting_poll(echo, sid)
    socket = await peer.upgraded(sid)
    assert await poll == (200, "6")
    await socket.send("4hello")
    assert await socket.receive() == "4hello"


async def test_http_after_the_upgrade_is_refused_and_harmless(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    socket = await peer.websocket(sid=sid)
    await socket.send("2probe")
    await socket.send("5")
    assert (await peer.poll(sid))[0] == 400
    assert (await peer.post(sid, "4x"))[0] == 400
    assert await socket.receive() == "3probe"
    await socket.send("4hello")
    assert await socket.receive() == "4hello"


async def test_a_second_websocket_is_closed(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    socket = await peer.upgraded(sid)
    second = await peer.websocket(sid=sid)
    assert await second.close_code() == 1008
    await socket.send("4hello")
    assert await socket.receive() == "4hello"


async def test_a_websocket_on_a_websocket_session_is_closed(peer: Peer, echo: EngineServer) -> None:
    socket = await peer.direct()
    second = await peer.websocket(sid=next(iter(echo.sockets)))
    assert await second.close_code() == 1008
    await socket.send("4hello")
    assert await socket.receive() == "4hello"


@pytest.mark.parametrize("words", [["2probe", "4x"], ["4x"], ["2"], [b"2probe"], ["2probe", ""]], ids=repr)
async def test_a_wrong_word_ends_the_upgrade_and_polling_goes_on(peer: Peer, words: list[str]) -> None:
    sid = (await peer.open())["sid"]
    socket = await peer.websocket(sid=sid)
    for word in words:
        await socket.send(word)
    assert await socket.close_code() == 1008
    assert await peer.post(sid, "4hello") == (200, "ok")
    assert await peer.poll(sid) == (200, "4hello")
    await peer.upgraded(sid)


@pytest.mark.parametrize("words", [[], ["2probe"]], ids=repr)
async def test_a_silent_probe_is_dropped_in_time_and_polling_goes_on(
    serve: Serve, clock: ManualClock, words: list[str]
) -> None:
    server = EngineServer(upgrade_timeout_s=7, clock=clock)
    server.on("message", server.send)
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    socket = await peer.websocket(sid=sid)
    for word in words:
        await socket.send(word)
        assert await socket.receive() == "3probe"
    clock.turn(6.9)
    await asyncio.sleep(0)
    assert server.sockets[sid].upgrade_over is not None
    clock.turn(0.1)
    assert await socket.close_code() == 1008
    assert await peer.post(sid, "4hello") == (200, "ok")
    assert await peer.poll(sid) == (200, "4hello")


async def test_a_lost_probe_leaves_polling_alone(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    socket = await peer.websocket(sid=sid)
    await socket.ws.close()
    assert await peer.post(sid, "4hello") == (200, "ok")
    assert await peer.poll(sid) == (200, "4hello")


async def test_upgrades_can_be_forbidden(serve: Serve) -> None:
    peer = await serve(EngineServer(allow_upgrades=False))
    opened = await peer.open()
    assert opened["upgrades"] == []
    with pytest.raises(Exception, match="400"):
        await peer.websocket(sid=opened["sid"])


@pytest.mark.parametrize("late", [True, False])
async def test_a_session_that_ends_takes_its_probe_along(
    serve: Serve, clock: ManualClock, late: bool
) -> None:
    """At once: the clock, by which the upgrade would time out, stands still."""
    server = EngineServer(clock=clock)
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    socket = await peer.websocket(sid=sid)
    await socket.send("2probe")
    assert await socket.receive() == "3probe"
    await server.disconnect(sid)
    if late:
        await socket.send("5")
    assert await socket.close_code() == 1008


async def test_order_across_the_upgrade(serve: Serve) -> None:
    """Events to the room and to the member alone, before, during and after: each once, in order."""
    server = AsyncServer()
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    got = [(await peer.poll(sid))[1]]
    client = server.manager.sid_from_eio_sid(sid, "/")
    server.fan_out.enter(client, "room")
    sent = 0

    def send(times: int) -> None:
        nonlocal sent
        for _ in range(times):
            server.fan_out.post("n", sent, room="room" if sent % 3 else client)
            sent += 1

    send(5)
    got.append((await peer.poll(sid))[1])
    socket = await peer.websocket(sid=sid)
    send(5)
    await socket.send("2probe")
    assert await socket.receive() == "3probe"
    send(5)
    await asyncio.sleep(0)
    send(5)
    await socket.send("5")
    send(5)
    await until(lambda: server.transport(client) == "websocket")
    send(5)
    numbers = [part for body in got[1:] for part in body.split("\x1e")]
    numbers += [str(await socket.receive()) for _ in range(sent - len(numbers))]
    assert numbers == [f'42["n",{number}]' for number in range(sent)]
    server.fan_out.post("end", None, room=client)
    assert await soon(socket.receive()) == '42["end"]'


async def test_an_upgrade_with_handler_cancellation(serve: Serve, echo: EngineServer) -> None:
    peer = await serve(echo, handler_cancellation=True)
    socket = await peer.upgraded((await peer.open())["sid"])
    await socket.send("4hello")
    assert await socket.receive() == "4hello"


async def test_a_probe_answered_while_a_poll_settles(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    settling, probed = asyncio.Event(), asyncio.Event()

    async def settle(polling: Polling) -> None:
        settling.set()
        await probed.wait()

    monkeypatch.setattr(Polling, "settle", settle)
    sid = (await peer.open())["sid"]
    poll = asyncio.ensure_future(peer.poll(sid))
    await soon(settling.wait())
    socket = await peer.websocket(sid=sid)
    await socket.send("2probe")
    assert await socket.receive() == "3probe"
    probed.set()
    assert await poll == (200, "6")
    await socket.send("5")
    await socket.send("4hello")
    assert await socket.receive() == "4hello"
