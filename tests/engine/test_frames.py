import pytest

from server.engine import frames


def parsed(data: bytes) -> list[tuple[int, bytes]]:
    """(opcode, payload) of each frame, by RFC 6455, section 5.2; the shortest length encoding is required."""
    found = []
    while data:
        assert data[0] & 0xF0 == 0x80, "one final frame a message, no extension"
        assert data[1] & 0x80 == 0, "servers do not mask"
        size, at = data[1], 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
            assert size > 125
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
            assert size > 65535
        found.append((data[0] & 0x0F, data[at : at + size]))
        assert len(found[-1][1]) == size
        data = data[at + size :]
    return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_every_size_of_message(size: int) -> None:
    payload = b"x" * size
    assert parsed(frames.text(payload) + frames.binary(payload)) == [(1, payload), (2, payload)]


def test_control_frames() -> None:
    blob = frames.ping(b"a") + frames.pong() + frames.text(b"t") + frames.close(1001, "bye")
    assert parsed(blob) == [(9, b"a"), (10, b""), (1, b"t"), (8, b"\x03\xe9bye")]


def test_control_frames_are_small() -> None:
    for make in (frames.ping, frames.pong):
        assert len(make(b"x" * 125)) == 127
        with pytest.raises(ValueError, match="125"):
            make(b"x" * 126)


def test_a_long_reason_is_cut_between_characters() -> None:
    ((opcode, payload),) = parsed(frames.close(1008, "ё" * 100))
    assert (opcode, payload[:2], payload[2:].decode()) == (8, b"\x03\xf0", "ё" * 61)
