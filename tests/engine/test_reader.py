import random
from collections.abc import Iterable
from itertools import pairwise

import pytest

from server.engine.reader import BrokenFrame, FrameReader, Message, unmasked

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY = bytes.fromhex("37fa213d")


def masked(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A frame as clients send it (RFC 6455, section 5.2)."""
    size = len(payload)
    length = (
        bytes((0x80 | size,))
        if size < 126
        else bytes((0xFE,)) + size.to_bytes(2, "big")
        if size < 65536
        else bytes((0xFF,)) + size.to_bytes(8, "big")
    )
    body = bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))
    return bytes((opcode | (0x80 if final else 0),)) + length + KEY + body


def read(parts: Iterable[bytes], max_bytes: int = 1 << 20) -> list[tuple[int, object]]:
    reader, messages = FrameReader(max_bytes), list[Message]()
    for part in parts:
        reader.feed(part, messages)
    return [tuple(message) for message in messages]


def test_the_example_of_the_rfc() -> None:
    assert read([bytes.fromhex("818537fa213d7f9f4d5158")]) == [(TEXT, "Hello")]


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 125, 126, 127, 65535, 65536])
def test_every_size(size: int) -> None:
    payload = random.Random(size).randbytes(size)
    assert read([masked(BINARY, payload) + masked(TEXT, b"next")]) == [(BINARY, payload), (TEXT, "next")]
    assert unmasked(unmasked(payload, KEY), KEY) == payload


@pytest.mark.parametrize("seed", range(20))
def test_whatever_way_the_bytes_come(seed: int) -> None:
    chance = random.Random(seed)
    sent = [
        masked(TEXT, "Привет, 🌍".encode()),
        masked(PING, b"?"),
        masked(TEXT, "п".encode()[:1], final=False),  # a character may lie across fragments
        masked(PONG, b"!"),
        masked(0, "п".encode()[1:] + b"x" * 200, final=False),
        masked(0, b"."),
        masked(BINARY, b"\xff" * 70_000),
        masked(CLOSE, b"\x03\xe8bye"),
    ]
    stream = b"".join(sent)
    cuts = sorted(chance.sample(range(len(stream)), chance.choice([0, 1, 5, 300])))
    parts = [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
    assert read(parts) == [
        (TEXT, "Привет, 🌍"),
        (PING, b"?"),
        (PONG, b"!"),
        (TEXT, "п" + "x" * 200 + "."),
        (BINARY, b"\xff" * 70_000),
        (CLOSE, 1000),
    ]


def test_a_large_frame_byte_by_byte_costs_what_it_weighs() -> None:
    stream = masked(BINARY, b"x" * 300_000)
    reader, messages = FrameReader(1 << 20), list[Message]()
    for byte in stream:  # copied at each byte, these would be 45 GB
        reader.feed(bytes((byte,)), messages)
    assert messages == [(BINARY, b"x" * 300_000)]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x05Hello", 1002),  # not masked
        (masked(TEXT, b"x").replace(b"\x81", b"\xc1", 1), 1002),  # said to be compressed
        (masked(3, b""), 1002),
        (masked(11, b""), 1002),
        (masked(0, b"of nothing"), 1002),
        (masked(TEXT, b"a", final=False) + masked(TEXT, b"b"), 1002),
        (masked(PING, b"", final=False), 1002),
        (masked(PING, b"x" * 126), 1002),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(CLOSE, b"\x03\xed"), 1002),  # 1005 is never sent
        (masked(CLOSE, b"\x00\x01"), 1002),
        (masked(CLOSE, b"\x03\xe8\xff"), 1007),
        (masked(TEXT, b"\xff"), 1007),
        (masked(TEXT, "п".encode()[:1]), 1007),
        (masked(TEXT, b"\xed\xa0\x80"), 1007),  # a surrogate
        (masked(TEXT, b"x" * 1001), 1009),
        (masked(TEXT, b"x" * 600, final=False) + masked(0, b"x" * 401), 1009),
        (b"\x82\xff" + b"\xff" * 12, 1009),  # 16 EiB are not waited for
    ],
)
def test_what_is_broken(frame: bytes, code: int) -> None:
    reader, messages = FrameReader(1000), list[Message]()
    with pytest.raises(BrokenFrame) as broken:
        reader.feed(masked(TEXT, b"before") + frame, messages)
    assert broken.value.code == code
    assert messages == [(TEXT, "before")]


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x0f\xa1", b"\x13\x87bye"])
def test_close_codes(payload: bytes) -> None:
    code = int.from_bytes(payload[:2], "big") if payload else 1005
    assert read([masked(CLOSE, payload) + b"whatever else"]) == [(CLOSE, code)]


def test_as_large_as_allowed() -> None:
    whole, half = b"x" * 1000, b"x" * 500
    fragments = masked(BINARY, half, final=False) + masked(0, half)
    assert read([masked(BINARY, whole) + fragments + fragments], 1000) == [(BINARY, whole)] * 3
