"""Frames of the bus: what is packed is what is unpacked, joined or not, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.nodes.bus_frames import (
    VERSION,
    Frame,
    Message,
    UnknownVersion,
    pack,
    pack_message,
    pack_topic,
    unpack,
)

NUMBERS = st.integers(0, 2**63)
MESSAGES = st.builds(
    Message,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.booleans(),
    st.tuples(st.binary(max_size=300), st.binary(max_size=300)),
)
FRAMES = st.builds(
    Frame,
    st.text(max_size=40),
    NUMBERS,
    NUMBERS,
    st.booleans(),
    st.lists(MESSAGES, max_size=4),
    st.lists(st.tuples(st.text(max_size=20), NUMBERS, st.binary(max_size=50)), max_size=3),
)


def packed(frame: Frame) -> bytes:
    return pack(
        frame.incarnation,
        frame.number,
        frame.hint,
        frame.look,
        [part for message in frame.messages for part in pack_message(*message)],
        [pack_topic(*topic) for topic in frame.topics],
    )


@given(st.lists(FRAMES, max_size=3))
def test_joined_frames_come_apart_again(frames: list[Frame]) -> None:
    assert list(unpack(b"".join(map(packed, frames)))) == frames


@given(FRAMES, st.data())
def test_a_frame_that_is_cut_off_is_no_frame(frame: Frame, data: st.DataObject) -> None:
    whole = packed(frame)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ValueError, match="cut off"):
        list(unpack(whole[:cut]))


@given(FRAMES, FRAMES)
def test_own_frames_are_read_without_what_is_in_them(own: Frame, other: Frame) -> None:
    own, other = own._replace(incarnation="own"), other._replace(incarnation="other")
    found = list(unpack(packed(own) + packed(other) + packed(own), "own"))
    empty = own._replace(messages=(), topics=())
    assert found == [empty, other, empty]


def test_frames_before_one_that_cannot_be_read_are_read() -> None:
    known = packed(Frame("a", 1, 2, False, [], []))
    frames = iter(unpack(known + bytes((VERSION + 1, 0, 0, 0, 0, 0, 0))))
    assert next(frames).number == 1
    with pytest.raises(UnknownVersion):
        next(frames)


def test_the_bytes_of_a_frame_stay_the_same() -> None:
    """Another version of the node reads them."""
    assert pack(
        "ab", 3, 4, True, pack_message(5, 6, 7, 8, True, (b"r", b"so")), [pack_topic("t", 9, b"{}")]
    ) == (
        b"\x01\x01\x02\0\0\0\x52ab"
        b"\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04\0\x01\0\x01"
        b"\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x08\x01\0\0\0\x01\0\0\0\x02rso"
        b"\x01\0\0\0\0\0\0\0\x09\0\0\0\x02t{}"
    )
