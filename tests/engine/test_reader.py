import random
import tracemalloc
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
        (b"\x89\x00", 1002),  # not masked either, and all there is
        (b"\xc1\x85", 1002),
        (b"\x89\xfe", 1002),
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


def read_until_broken(stream: bytes, at_once: int) -> tuple[int, int]:
    """Feeds the stream in parts of `at_once` bytes. Returns how many the reader took, and its error code."""
    reader = FrameReader(1000)
    for at in range(0, len(stream), at_once):
        try:
            reader.feed(stream[at : at + at_once], [])
        except BrokenFrame as broken:
            return at + at_once, broken.code
    return len(stream), 0


@pytest.mark.parametrize(
    ("bad", "enough_bytes"),
    [
        (b"\xff", 1),
        (b"\x80", 1),
        (b"\xc0\xaf", 1),
        (b"\xf4\x90\x80\x80", 2),
        (b"\xf0\x80\x80\xaf", 2),
        (b"\xe4\xb8a", 3),
        (b"\xed\xa0\x80", 3),
    ],
)
@pytest.mark.parametrize("shape", ["fragments", "one frame", "the second of two fragments", "one fragment"])
@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_text_that_is_no_utf8_is_found_as_it_comes(
    bad: bytes, enough_bytes: int, shape: str, at_once: int
) -> None:
    text = "κόσμε".encode() + bad + b"edited"
    known_at = text.index(bad) + enough_bytes
    stream = {
        "fragments": b"".join(
            masked(0 if at else TEXT, text[at : at + 2], final=False) for at in range(0, len(text), 2)
        ),
        "one frame": masked(TEXT, text),
        "the second of two fragments": masked(TEXT, text[:3], final=False)
        + masked(PING, b"")
        + masked(0, text[3:]),
        "one fragment": masked(TEXT, text, final=False),
    }[shape]
    heads = 6 * {"fragments": -(-known_at // 2), "the second of two fragments": 3}.get(shape, 1)
    read_bytes, code = read_until_broken(stream, at_once)
    assert code == 1007
    assert read_bytes < heads + known_at + at_once


def test_after_a_text_in_pieces_the_next_begins_afresh() -> None:
    text = "да🌍".encode()
    cut = [masked(TEXT, text[:1], final=False) + masked(0, text[1:3], final=False)[:-1]]
    cut += [masked(0, text[1:3], final=False)[-1:] + masked(0, text[3:])]
    whole = masked(TEXT, text)
    parts = [
        *cut,
        whole[:7],
        whole[7:],
        whole,
        masked(BINARY, b"\xff\xff")[:7],
        masked(BINARY, b"\xff\xff")[7:],
        *cut,
    ]
    assert read(parts) == [(TEXT, "да🌍")] * 3 + [(BINARY, b"\xff\xff"), (TEXT, "да🌍")]


def test_empty_fragments_take_no_memory() -> None:
    reader, messages = FrameReader(1000), list[Message]()
    reader.feed(masked(TEXT, b"", final=False), messages)
    nothing = masked(0, b"", final=False) * 1000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            reader.feed(nothing, messages)
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()
    reader.feed(masked(0, b"end"), messages)
    assert messages == [(TEXT, "end")]


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x0f\xa1", b"\x13\x87bye"])
def test_close_codes(payload: bytes) -> None:
    code = int.from_bytes(payload[:2], "big") if payload else 1005
    assert read([masked(CLOSE, payload) + b"whatever else"]) == [(CLOSE, code)]


def test_as_large_as_allowed() -> None:
    whole, half = b"x" * 1000, b"x" * 500
    fragments = masked(BINARY, half, final=False) + masked(0, half)
    assert read([masked(BINARY, whole) + fragments + fragments], 1000) == [(BINARY, whole)] * 3
