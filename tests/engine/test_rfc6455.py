"""What Autobahn's fuzzing client asks of a server (its cases 1-7, 9 and 10), on the product's own reader and a real
socket: every answer, and how and when the connection ends. Nothing passes as "non-strict".

A case is what the client sends, in parts that arrive one by one, and the frames it has to get, up to the end of the
connection. The end is the server's, and comes without a timeout: the clock stands still.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.engine import Message, WebSocket, frames
from tests.engine.peers import soon, until
from tests.engine.sockets import HANDSHAKE, Receiver, Served, listening
from tests.engine.test_frames import parsed
from tests.engine.test_reader import BINARY, CLOSE, PING, PONG, TEXT, masked

LIMIT_BYTES = 4 << 20

NORMAL = (CLOSE, b"\x03\xe8")
BYE = masked(CLOSE, b"\x03\xe8")

Frames = list[tuple[int, bytes]]


def failed(code: int) -> tuple[int, bytes]:
    return CLOSE, code.to_bytes(2, "big")


class Echo(Receiver):
    """The server that Autobahn wants."""

    def __init__(self, socket: WebSocket) -> None:
        super().__init__(socket)
        self.heard_bytes = 0

    async def receive(self, message: Message) -> None:
        opcode, data = message
        payload = data.encode() if opcode == TEXT else data
        self.heard_bytes += len(payload)
        if opcode != PONG:
            self.socket.transport.write(frames.frame(PONG if opcode == PING else opcode, payload))


@pytest.fixture
async def served() -> AsyncIterator[Served[Echo]]:
    served = Served(Echo, max_bytes=LIMIT_BYTES)
    async with listening(served.handle) as served.port:
        yield served
        await until(lambda: not served.sockets)


async def talk(served: Served[Echo], *parts: bytes) -> Frames:
    """All frames of the server, up to the end of the connection, which it has to bring about."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(HANDSHAKE + b"\r\n")
        await soon(reader.readuntil(b"\r\n\r\n"))
        answer = asyncio.ensure_future(reader.read())
        for part in parts:
            writer.write(part)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0)  # so that most parts are segments of their own
        return parsed(await soon(answer))
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def chopped(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def fragmented(opcode: int, payload: bytes, size: int, between: bytes = b"") -> bytes:
    parts = chopped(payload, size) or [b""]
    return between.join(
        masked(opcode if number == 0 else 0, part, final=number == len(parts) - 1)
        for number, part in enumerate(parts)
    )


# --- 1: framing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 125, 126, 127, 128, 65535, 65536])
@pytest.mark.parametrize("chop", [None, 997])
async def test_1_framing(served: Served[Echo], opcode: int, size: int, chop: int | None) -> None:
    payload = b"*" * size
    frame = masked(opcode, payload)
    sent = chopped(frame, chop) if chop else [frame]
    assert await talk(served, *sent, BYE) == [(opcode, payload), NORMAL]


# --- 2: pings and pongs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"Hello", bytes(range(256))[:8], b"\xfe" * 125])
@pytest.mark.parametrize("chop", [None, 1])
async def test_2_a_ping_is_answered_with_its_payload(
    served: Served[Echo], payload: bytes, chop: int | None
) -> None:
    frame = masked(PING, payload)
    assert await talk(served, *(chopped(frame, chop) if chop else [frame]), BYE) == [(PONG, payload), NORMAL]


async def test_2_a_ping_too_large(served: Served[Echo]) -> None:
    assert await talk(served, masked(PING, b"\xfe" * 126)) == [failed(1002)]


@pytest.mark.parametrize("payload", [b"", b"unsolicited"])
async def test_2_a_pong_nobody_asked_for(served: Served[Echo], payload: bytes) -> None:
    assert await talk(served, masked(PONG, payload), masked(PING, b"a"), BYE) == [(PONG, b"a"), NORMAL]


@pytest.mark.parametrize("chop", [None, 1])
async def test_2_ten_pings(served: Served[Echo], chop: int | None) -> None:
    pings = b"".join(masked(PING, b"payload-%d" % number) for number in range(10))
    expected = [(PONG, b"payload-%d" % number) for number in range(10)]
    assert await talk(served, *(chopped(pings, chop) if chop else [pings]), BYE) == [*expected, NORMAL]


# --- 3: reserved bits --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0x40, 0x20, 0x30, 0x10, 0x50, 0x60, 0x70])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
@pytest.mark.parametrize("chop", [None, 1])
async def test_3_reserved_bits(served: Served[Echo], bits: int, opcode: int, chop: int | None) -> None:
    broken = bytearray(masked(opcode, b"\x03\xe8"))
    broken[0] |= bits
    sent = masked(TEXT, b"before") + bytes(broken) + masked(PING, b"")
    parts = chopped(sent, chop) if chop else [sent]
    assert await talk(served, *parts) == [(TEXT, b"before"), failed(1002)]


# --- 4: reserved opcodes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved opcode payload"])
async def test_4_reserved_opcodes(served: Served[Echo], opcode: int, payload: bytes) -> None:
    sent = masked(TEXT, b"before") + masked(opcode, payload) + masked(PING, b"")
    assert await talk(served, sent) == [(TEXT, b"before"), failed(1002)]


# --- 5: fragmentation --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
async def test_5_a_control_frame_in_fragments(served: Served[Echo], opcode: int) -> None:
    sent = masked(opcode, b"fragment1", final=False) + masked(0, b"fragment2")
    assert await talk(served, sent) == [failed(1002)]


@pytest.mark.parametrize("chop", [None, 1])
@pytest.mark.parametrize("pings", [0, 1, 2])
async def test_5_a_message_in_fragments(served: Served[Echo], chop: int | None, pings: int) -> None:
    between = b"".join(masked(PING, b"ping %d" % number) for number in range(pings))
    sent = fragmented(TEXT, b"fragment1fragment2fragment3", 9, between)
    expected = [(PONG, b"ping %d" % number) for number in range(pings)] * 2
    parts = chopped(sent, chop) if chop else [sent]
    assert await talk(served, *parts, BYE) == [*expected, (TEXT, b"fragment1fragment2fragment3"), NORMAL]


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("chop", [None, 1])
async def test_5_a_continuation_of_nothing(served: Served[Echo], final: bool, chop: int | None) -> None:
    sent = masked(0, b"non-continuation payload", final=final) + masked(TEXT, b"Hello, world!")
    assert await talk(served, *(chopped(sent, chop) if chop else [sent])) == [failed(1002)]


@pytest.mark.parametrize("final", [True, False])
async def test_5_a_continuation_after_the_end(served: Served[Echo], final: bool) -> None:
    whole = fragmented(TEXT, b"fragment1fragment2", 9)
    sent = whole + masked(0, b"fragment3", final=final)
    assert await talk(served, sent) == [(TEXT, b"fragment1fragment2"), failed(1002)]


async def test_5_a_new_message_amid_fragments(served: Served[Echo]) -> None:
    sent = masked(TEXT, b"fragment1", final=False) + masked(TEXT, b"fragment2")
    assert await talk(served, sent) == [failed(1002)]


async def test_5_empty_fragments(served: Served[Echo]) -> None:
    sent = masked(TEXT, b"", final=False) + masked(0, b"", final=False) + masked(0, b"")
    filled = masked(TEXT, b"", final=False) + masked(0, b"middle", final=False) + masked(0, b"")
    assert await talk(served, sent, filled, BYE) == [(TEXT, b""), (TEXT, b"middle"), NORMAL]


# --- 6: UTF-8 ----------------------------------------------------------------------------------------------------

GOOD_TEXTS = [
    b"Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!",
    "κόσμε".encode(),
    b"\x00",
    b"\x7f",
    "\x80".encode(),
    "\u07ff\u0800\uffff".encode(),
    "\ud7ff\ue000\ufffd".encode(),
    "\U00010000\U0010ffff".encode(),
    b"\xef\xbf\xbe",
    b"\xef\xbf\xbf",
    b"\xf0\x9f\xbf\xbe",
    b"\xf4\x8f\xbf\xbf",
    b"\xef\xbb\xbf",
]
BAD_TEXTS = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
    b"\xce\xba\xe1",
    b"\xce\xba\xe1\xbd",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"\xbf",
    b"\x80\xbf\x80",
    bytes(range(0x80, 0xC0)),
    b"\xc0 \xc1 \xc2 ",
    b"\xe0 \xe1 ",
    b"\xf0 \xf1 ",
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xfe\xfe\xff\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xed\xaf\xbf\xed\xbf\xbf",
]


@pytest.mark.parametrize("payload", GOOD_TEXTS)
@pytest.mark.parametrize("fragment_bytes", [None, 1, 3])
async def test_6_good_text(served: Served[Echo], payload: bytes, fragment_bytes: int | None) -> None:
    sent = fragmented(TEXT, payload, fragment_bytes or 1000)
    assert await talk(served, *chopped(sent, 5), BYE) == [(TEXT, payload), NORMAL]


@pytest.mark.parametrize("payload", BAD_TEXTS)
@pytest.mark.parametrize("fragment_bytes", [None, 1, 3])
async def test_6_bad_text(served: Served[Echo], payload: bytes, fragment_bytes: int | None) -> None:
    assert await talk(served, fragmented(TEXT, payload, fragment_bytes or 1000)) == [failed(1007)]


@pytest.mark.parametrize("payload", BAD_TEXTS[:1] + BAD_TEXTS[3:])
async def test_6_bad_binary_is_no_text(served: Served[Echo], payload: bytes) -> None:
    assert await talk(served, fragmented(BINARY, payload, 2), BYE) == [(BINARY, payload), NORMAL]


@pytest.mark.parametrize(
    "parts",
    [
        # 6.4.1 and 6.4.2: in fragments, of which the last is never sent
        [masked(TEXT, "κόσμε".encode(), final=False), masked(0, b"\xf4\x90\x80\x80", final=False)],
        [masked(TEXT, "κόσμε".encode() + b"\xf4", final=False), masked(0, b"\x90", final=False)],
        # 6.4.3 and 6.4.4: within one frame, whose end is never sent
        [masked(TEXT, "κόσμε".encode() + b"\xf4\x90\x80\x80edited")[:-6]],
        [*chopped(masked(TEXT, "κόσμε".encode() + b"\xf4\x90\x80\x80edited")[:-8], 1)],
        # and within a fragment
        [masked(TEXT, b"a", final=False), masked(0, b"\xff" + b"x" * 1000, final=False)[:9]],
        [masked(TEXT, b"x" * 100_000 + b"\xff" + b"x" * 100_000)[:150_000]],
    ],
)
async def test_6_4_bad_text_fails_at_once(served: Served[Echo], parts: list[bytes]) -> None:
    assert await talk(served, *parts) == [failed(1007)]


# --- 7: closing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "beyond", [b"", masked(TEXT, b"late"), masked(PING, b"late"), BYE, masked(TEXT, b"x" * 100_000)]
)
async def test_7_1_nothing_is_heard_after_a_close(served: Served[Echo], beyond: bytes) -> None:
    assert await talk(served, masked(TEXT, b"Hello"), BYE + beyond) == [(TEXT, b"Hello"), NORMAL]
    assert served.receivers[0].heard_bytes == 5


async def test_7_1_a_close_amid_fragments(served: Served[Echo]) -> None:
    assert await talk(served, masked(TEXT, b"fragment1", final=False) + BYE + masked(0, b"fragment2")) == [
        NORMAL
    ]


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b"", NORMAL),
        (b"\x03", failed(1002)),
        (b"\x03\xe8", NORMAL),
        (b"\x03\xe8Hello World!", NORMAL),
        (b"\x03\xe8" + b"*" * 123, NORMAL),
        (b"\x03\xe8" + b"*" * 124, failed(1002)),
        (b"\x03\xe8" + BAD_TEXTS[0], failed(1007)),
    ],
)
async def test_7_3_and_7_5_what_a_close_frame_carries(
    served: Served[Echo], payload: bytes, answer: tuple[int, bytes]
) -> None:
    assert await talk(served, masked(CLOSE, payload)) == [answer]


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
async def test_7_7_codes_that_may_be_sent(served: Served[Echo], code: int) -> None:
    assert await talk(served, masked(CLOSE, code.to_bytes(2, "big"))) == [NORMAL]
    assert served.receivers[0].lost_with == [code]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
async def test_7_9_and_7_13_codes_that_may_not(served: Served[Echo], code: int) -> None:
    assert await talk(served, masked(CLOSE, code.to_bytes(2, "big"))) == [failed(1002)]


# --- 9: limits, 10: one read for many frames -----------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fragment_bytes", [None, 64 << 10, 1 << 10])
async def test_9_large_messages(served: Served[Echo], opcode: int, fragment_bytes: int | None) -> None:
    payload = b"*" * (1 << 20)
    sent = fragmented(opcode, payload, fragment_bytes or len(payload))
    assert await talk(served, *chopped(sent, 256 << 10), BYE) == [(opcode, payload), NORMAL]


@pytest.mark.parametrize("size", [0, 16, 64, 256, 1024])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_9_many_messages(served: Served[Echo], opcode: int, size: int) -> None:
    assert await talk(served, masked(opcode, b"*" * size) * 500, BYE) == [
        *[(opcode, b"*" * size)] * 500,
        NORMAL,
    ]


async def test_9_a_message_too_large_is_refused_while_it_is_still_coming(served: Served[Echo]) -> None:
    head = masked(BINARY, b"")[:1] + b"\xff" + (10 << 20).to_bytes(8, "big") + b"\0\0\0\0"
    assert await talk(served, head, *[b"x" * 65536] * 100) == [failed(1009)]
    fragments = masked(BINARY, b"x" * 65536, final=False) + masked(0, b"x" * 65536, final=False) * 64
    assert await talk(served, fragments) == [failed(1009)]


async def test_10_a_text_in_small_chops(served: Served[Echo]) -> None:
    payload = b"*" * 65536
    assert await talk(served, *chopped(masked(TEXT, payload), 1300), BYE) == [(TEXT, payload), NORMAL]


# --- how it ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [True, False])
async def test_after_broken_frames_the_server_ends_at_once_whatever_the_peer_does(
    served: Served[Echo], answers: bool
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(HANDSHAKE + b"\r\n")
    await soon(reader.readuntil(b"\r\n\r\n"))
    writer.write(masked(3, b"") + b"x" * 300_000)
    assert parsed(await soon(reader.read())) == [failed(1002)]
    assert served.receivers[0].lost_with == [1002]
    assert served.sockets, "it waits for the peer's end, so that the peer gets to read"
    if answers:
        writer.write(masked(CLOSE, b"\x03\xea"))
    writer.close()
    await writer.wait_closed()
    await until(lambda: not served.sockets)


async def test_a_peer_that_goes_on_sending_is_cut_off() -> None:
    served = Served(Echo, drain_max_bytes=1 << 20)
    async with listening(served.handle) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HANDSHAKE + b"\r\n")
        await soon(reader.readuntil(b"\r\n\r\n"))
        sent = 0
        with contextlib.suppress(ConnectionError):
            while served.sockets:
                writer.write(b"\xff" * 65536)
                await soon(writer.drain())
                sent += 65536
                await asyncio.sleep(0)
        await until(lambda: not served.sockets)
        assert sent < 16 << 20
        writer.transport.abort()


@pytest.mark.parametrize("how", ["close", "drop"])
async def test_the_server_ends_and_its_last_words_arrive(served: Served[Echo], how: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(HANDSHAKE + b"\r\n")
    await soon(reader.readuntil(b"\r\n\r\n"))
    writer.write(masked(TEXT, b"x" * 1000) * 300)  # of which much is unread when the server ends
    (socket,) = served.sockets
    last = frames.text(b"l" * 2_000_000)
    end: Any = getattr(socket, how)
    end(1001, last=last)
    end(1000, last=last)
    got = parsed(await soon(_to_the_end(reader, writer, how)))
    got = [frame for frame in got if frame != (TEXT, b"x" * 1000)]
    assert got == [(TEXT, b"l" * 2_000_000), *([failed(1001)] if how == "close" else [])]
    assert served.receivers[0].lost_with == [1001]
    writer.close()


async def _to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str) -> bytes:
    data = bytearray()
    while chunk := await reader.read(65536):
        data += chunk
        if how == "close" and data.endswith(b"\x88\x02\x03\xe9"):
            writer.write(masked(CLOSE, b"\x03\xe9"))
    return bytes(data)
