"""What nodes tell each other over the bus, as bytes: a batch of events that are encoded already. Pure functions.

A frame is self-delimiting, so frames can be joined and published together. All numbers are big-endian:

    version u8, flags u8, length of the incarnation u8, length of all that follows u32, incarnation,
    number of the frame u64, number of the newest hint u64, count of messages u16, count of topics u16,
    messages: chat u64, n u64, seq u64, sender u64, flags u8, length of the raw frame u32, of the Socket.IO frame u32,
    then both frames; topics: length of the name u8, number of the value u64, length of the value u32, then both.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

VERSION = 1

PARTS = 3
"""How many parts `pack_message` makes of a message."""

_LOOK = 1
_NEW = 1

_START = struct.Struct("!BBBI")
_HEAD = struct.Struct("!QQHH")
_MESSAGE = struct.Struct("!QQQQBII")
_TOPIC = struct.Struct("!BQI")

_pack_message = _MESSAGE.pack
_unpack_message = _MESSAGE.unpack_from


class UnknownVersion(ValueError):
    """The frame is of a version of this format that is not known here."""


class Message(NamedTuple):
    """A change of a message: row `n` of the log of its chat, change `seq` for clients. `new` is whether the message was
    sent, as against changed or deleted. `blobs` are the bytes of the event, see `handlers.live.hub.Blobs`."""

    chat_id: int
    n: int
    seq: int
    sender_id: int
    new: bool
    blobs: Sequence[bytes]


class Frame(NamedTuple):
    """What one node sends at a time. `number` counts the frames of the incarnation, so that others see that they
    have missed one. `hint` is the number of its newest hint in the store. `look` is whether it has changed more than
    `messages` say, which the others read from the store. `topics` have names, and values with their numbers."""

    incarnation: str
    number: int
    hint: int
    look: bool
    messages: Sequence[Message]
    topics: Sequence[tuple[str, int, bytes]]


def pack_message(
    chat_id: int, n: int, seq: int, sender_id: int, new: bool, blobs: Sequence[bytes]
) -> Sequence[bytes]:
    """One message of a frame, in three parts."""
    raw, socketio = blobs
    return _pack_message(chat_id, n, seq, sender_id, new, len(raw), len(socketio)), raw, socketio


def pack_topic(topic: str, number: int, value: bytes) -> bytes:
    """One topic of a frame."""
    name = topic.encode()
    return _TOPIC.pack(len(name), number, len(value)) + name + value


def pack(
    incarnation: str,
    number: int,
    hint: int,
    look: bool = False,
    messages: Sequence[bytes] = (),
    topics: Sequence[bytes] = (),
) -> bytes:
    """A frame of what `pack_topic` has returned, and of all parts that `pack_message` has, at most 65,535 of each."""
    name = incarnation.encode()
    parts = (name, _HEAD.pack(number, hint, len(messages) // PARTS, len(topics)), *messages, *topics)
    size = sum(map(len, parts))
    return b"".join((_START.pack(VERSION, _LOOK if look else 0, len(name), size), *parts))


def begins_with_own(data: bytes, at: int, own: bytes) -> bool:
    """Whether the frame that begins there says that it is of the incarnation `own`."""
    return data.startswith(own, at + _START.size)


def unpack(data: bytes, own: str | None = None) -> Iterable[Frame]:
    """The frames in what was published together. Of the frames of the incarnation `own`, messages and topics are left
    out.

    Raises: `UnknownVersion`; `ValueError` if something is cut off.
    """
    at, end = 0, len(data)
    while at < end:
        if data[at] != VERSION:
            raise UnknownVersion(f"version {data[at]}")
        try:
            _, flags, length, size = _START.unpack_from(data, at)
            at += _START.size + size
            if at > end:
                raise ValueError("a frame is cut off")
            yield _unpack_frame(data, at - size, flags, length, own)
        except (struct.error, UnicodeDecodeError):
            raise ValueError("a frame is cut off") from None


def _unpack_frame(data: bytes, start: int, flags: int, length: int, own: str | None) -> Frame:
    at = start + length
    incarnation = data[start:at].decode()
    number, hint, messages, topics = _HEAD.unpack_from(data, at)
    look = bool(flags & _LOOK)
    if incarnation == own:
        return Frame(incarnation, number, hint, look, (), ())
    at += _HEAD.size
    found = []
    for _ in range(messages):
        chat_id, n, seq, sender_id, kind, raw, socketio = _unpack_message(data, at)
        at += _MESSAGE.size
        middle, end = at + raw, at + raw + socketio
        found.append(
            Message(chat_id, n, seq, sender_id, bool(kind & _NEW), (data[at:middle], data[middle:end]))
        )
        at = end
    told = []
    for _ in range(topics):
        name, value_number, size = _TOPIC.unpack_from(data, at)
        at += _TOPIC.size
        told.append((data[at : at + name].decode(), value_number, data[at + name : at + name + size]))
        at += name + size
    return Frame(incarnation, number, hint, look, found, told)
