"""A client that breaks the protocol loses its connection, and no other client notices."""

import logging

import pytest

from server.engine import AsyncServer
from server.engine.packets import join_payload
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, WebSocket, until

PLACE = '{"_placeholder":true,"num":%s}'

MALFORMED: dict[str, list[str | bytes]] = {
    "no type": ["4"],
    "not a type": ["4abc"],
    "type out of range": ["47"],
    "type in another script": ['4٢["x"]'],
    "event is an object": ["42{}"],
    "event is empty": ["42[]"],
    "event without data": ["42"],
    "event name is a number": ["42[1]"],
    "event name is null": ["42[null]"],
    "event name is reserved: connect": ['42["connect"]'],
    "event name is reserved: disconnect": ['42["disconnect"]'],
    "id too long": ["42" + "1" * 101 + '["x"]'],
    "id is no number": ['42x["x"]'],
    "ack without id": ["43[1]"],
    "ack with bad data": ["431{}"],
    "connect error": ['44{"message":"x"}'],
    "second connect": ["40"],
    "connect with a list": ["40/other,[1]"],
    "disconnect with data": ["41{}"],
    "stray binary": [b"\x01"],
    "text for an attachment": [f'451-["x",{PLACE % 0}]', '42["x"]'],
    "placeholder out of range": [f'451-["x",{PLACE % 1}]', b"\x01"],
    "placeholder below zero": [f'451-["x",{PLACE % -1}]', b"\x01"],
    "placeholder is true": [f'451-["x",{PLACE % "true"}]', b"\x01"],
    "placeholder for the name": [f"451-[{PLACE % 0}]", b"\x01"],
    "attachments without number": ['45-["x"]'],
    "attachments: none": ['450-["x"]'],
    "attachments without dash": ['451["x"]'],
    "attachments: eleven": ['4511-["x"]'],
    "attachments: very many": ['459999999999-["x"]'],
    "attachments too large": [f'452-["x",{PLACE % 0},{PLACE % 1}]', b"x" * 60_000, b"x" * 60_000],
    "deep": ["42" + "[" * 30_000 + "]" * 30_000],
    "huge integer": ['42["x",' + "9" * 50_000 + "]"],
    "not JSON": ['42["x"'],
    "rest after JSON": ['42["x"]]'],
    "NaN": ['42["x",NaN]'],
    "Infinity": ['42["x",-Infinity]'],
    "heartbeat in the wrong direction": ["2"],
    "no Engine.IO packet": ["x"],
}

CODES = {"attachments too large": 1009}


@pytest.fixture
def server() -> AsyncServer:
    server = AsyncServer(async_handlers=False, max_http_buffer_size=100_000)
    server.gone = []
    server.on("x", lambda sid, *args: None)
    server.on("echo", lambda sid, *args: args)
    server.on("disconnect", lambda sid, reason: server.gone.append(reason))
    return server


@pytest.fixture
async def peer(serve: Serve, server: AsyncServer) -> Peer:
    return await serve(server)


async def works(socket: WebSocket) -> bool:
    await socket.send('421["echo",2]')
    return await socket.receive() == "431[2]"


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed(
    peer: Peer, server: AsyncServer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    bystander, offender = await peer.connected(), await peer.connected()
    for packet in MALFORMED[name]:
        await offender.send(packet)
    assert await offender.close_code() == CODES.get(name, 1008)
    await until(lambda: server.gone == ["transport error"])
    assert len(server.eio.sockets) == 1
    assert await works(bystander)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "packet", ['42["x"]', '451-["x",{"_placeholder":true,"num":0}]', "431[1]", b"\x01"], ids=repr
)
async def test_nothing_comes_before_connect(peer: Peer, packet: str | bytes) -> None:
    socket = await peer.direct()
    await socket.send(packet)
    assert await socket.close_code() == 1008


@pytest.mark.parametrize("name", MALFORMED)
async def test_the_same_over_polling(peer: Peer, server: AsyncServer, name: str) -> None:
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    await peer.poll(sid)
    status = 413 if CODES.get(name) == 1009 else 400
    assert (await peer.post(sid, join_payload(MALFORMED[name])))[0] == status
    assert (await peer.poll(sid))[0] == 400
    await until(lambda: server.gone == ["transport error"])


async def test_attachments_over_polling_count_together(peer: Peer, server: AsyncServer) -> None:
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    head, *parts = MALFORMED["attachments too large"]
    for part in (head, parts[0]):
        assert (await peer.post(sid, join_payload([part])))[0] == 200
    assert (await peer.post(sid, join_payload([parts[1]])))[0] == 413
    await until(lambda: server.gone == ["transport error"])


@pytest.mark.parametrize("message", ["x" * 100_001, "ю" * 50_001, b"x" * 100_001, "x" * 900_000])
async def test_a_frame_over_the_limit(peer: Peer, server: AsyncServer, message: str | bytes) -> None:
    socket = await peer.connected()
    await socket.send(message)
    assert await socket.close_code() == 1009
    await until(lambda: len(server.gone) == 1)


@pytest.mark.parametrize(("message", "code"), [("42{}", 1008), ("x" * 100_001, 1009)])
async def test_the_application_may_say_why(peer: Peer, server: AsyncServer, message: str, code: int) -> None:
    def end(eio_sid: str, violation: int) -> None:
        sid = server.manager.sid_from_eio_sid(eio_sid, "/")
        server.end(sid, event="closing", data=violation, reconnect=False, code=violation)

    server.eio.on_violation = end
    socket = await peer.connected()
    await socket.send(message)
    assert await socket.receive() == f'42["closing",{code}]'
    assert await socket.receive() == "41"
    assert await socket.close_code() == code
    await until(lambda: server.gone == ["server disconnect"])


async def test_a_frame_at_the_limit(peer: Peer) -> None:
    socket = await peer.connected()
    head = '421["echo","'
    await socket.send(head + "x" * (100_000 - len(head) - 2) + '"]')
    assert len(await socket.receive()) > 99_000


async def test_bad_utf8(peer: Peer, server: AsyncServer) -> None:
    socket = await peer.connected()
    await socket.ws._writer.send_frame(b"42\xff", 1)
    assert await socket.close_code() == 1007
    await until(lambda: server.gone == ["transport close"])


async def test_errors_of_handlers_cost_nobody_the_connection(
    peer: Peer, server: AsyncServer, caplog: pytest.LogCaptureFixture
) -> None:
    @server.on("bad")
    async def bad(sid: str) -> None:
        raise RuntimeError("oops")

    socket = await peer.connected()
    await socket.send('421["bad"]')
    await socket.send('422["bad","one argument too many"]')
    assert await works(socket)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RuntimeError, TypeError]


async def test_the_credential_is_in_no_log(
    peer: Peer, server: AsyncServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in (server.logger, server.eio.logger):
        logger.setLevel(logging.DEBUG)
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    await peer.poll(sid)
    await peer.upgraded(sid)
    await peer.poll(sid)
    await server.eio.send("gone" + sid, "x")
    await server.eio.disconnect(sid)
    await peer.poll(sid)
    for logger in (server.logger, server.eio.logger):
        logger.setLevel(logging.ERROR)
    assert sid not in "".join(
        record.getMessage() for record in caplog.records if record.name != "aiohttp.access"
    )
