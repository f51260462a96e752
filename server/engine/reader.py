"""WebSocket frames from clients, to messages: pure, without sockets (RFC 6455, sections 5 and 7.4)."""

import struct
import sys
from typing import Any, NamedTuple

from . import frames

CONTINUATION = 0x0

PROTOCOL_ERROR, BAD_DATA, TOO_LARGE = 1002, 1007, 1009
NO_CODE, CUT_OFF = 1005, 1006

_DATA = frozenset((CONTINUATION, frames.TEXT, frames.BINARY))
_CONTROL = frozenset((frames.CLOSE, frames.PING, frames.PONG))
_CODES = frozenset((*range(1000, 1004), *range(1007, 1015)))


class Message(NamedTuple):
    """`data`: of a text the str, of a close frame the code (`NO_CODE` if it has none), else the bytes."""

    opcode: int
    data: Any


class BrokenFrame(Exception):
    """What came cannot be gone on with; `code` says why, as a close frame has it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class FrameReader:
    """Takes bytes as they come. A message, whole or in fragments, has at most `max_bytes`.

    A frame's length is looked at before its payload is waited for, and what has come of a frame is copied once: a
    large one that comes byte by byte costs no more than one that comes at once.
    """

    __slots__ = ("_fragments", "_fragments_bytes", "_kind", "_needed", "_partial", "max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._partial: bytearray | None = None
        self._needed = 0
        self._fragments: list[bytes] | None = None
        self._fragments_bytes = 0
        self._kind = CONTINUATION

    def feed(self, data: bytes, messages: list[Message], most: int = sys.maxsize) -> int:
        """Appends the messages that are complete now, up to a close frame, out of at most so many frames; how many
        frames that were. `feed(b"", …)` goes on with what was left. Raises: `BrokenFrame`, after what came before it.
        """
        if self._partial is not None:
            self._partial += data
            if len(self._partial) < self._needed:
                return 0
            data, self._partial = bytes(self._partial), None
        at, size, taken = 0, len(data), 0
        while at < size:
            end = self._frame(data, at, messages) if taken < most else at
            if end == at:
                self._partial = bytearray(data[at:])
                self._needed = self._needed - at if taken < most else 0
                return taken
            at = end
            taken += 1
            if messages and messages[-1].opcode == frames.CLOSE:
                return taken  # nothing that follows is of the protocol any more
        return taken

    @property
    def may_go_on(self) -> bool:
        """Whether there is more to take of what has come."""
        return self._partial is not None and len(self._partial) >= self._needed

    def _frame(self, data: bytes, at: int, messages: list[Message]) -> int:
        """The end of the frame at `at`; `at` itself while it is incomplete, `_needed` bytes then being needed."""
        self._needed = at + 6  # a masked frame has no less
        if len(data) < self._needed:
            return at
        first, second = data[at], data[at + 1]
        size, mask_at = second & 0x7F, at + 2
        if size >= 126:
            mask_at += 2 if size == 126 else 8
            self._needed = mask_at + 4
            if len(data) < self._needed:
                return at
            size = int.from_bytes(data[at + 2 : mask_at], "big")
        self._check(first, second, size)
        payload_at = mask_at + 4
        end = self._needed = payload_at + size
        if len(data) < end:
            return at
        payload = unmasked(data[payload_at:end], data[mask_at:payload_at])
        if (message := self._message(first, payload)) is not None:
            messages.append(message)
        return end

    def _check(self, first: int, second: int, size: int) -> None:
        opcode, final = first & 0x0F, first & 0x80
        if first & 0x70 or not second & 0x80:  # nothing was negotiated, and clients mask
            raise BrokenFrame(PROTOCOL_ERROR)
        if opcode in _CONTROL:
            if not final or size > frames.MAX_CONTROL_BYTES:
                raise BrokenFrame(PROTOCOL_ERROR)
            return
        if opcode not in _DATA or (opcode == CONTINUATION) != (self._fragments is not None):
            raise BrokenFrame(PROTOCOL_ERROR)
        if self._fragments_bytes + size > self.max_bytes:
            raise BrokenFrame(TOO_LARGE)

    def _message(self, first: int, payload: bytes) -> Message | None:
        """None for a fragment that is not the last."""
        opcode, final = first & 0x0F, first & 0x80
        if opcode in _CONTROL:
            return Message(opcode, _close_code(payload) if opcode == frames.CLOSE else payload)
        if self._fragments is None:
            if final:
                return _data_message(opcode, payload)
            self._fragments, self._kind = [], opcode
        self._fragments.append(payload)
        self._fragments_bytes += len(payload)
        if not final:
            return None
        payload = b"".join(self._fragments)
        self._fragments, self._fragments_bytes = None, 0
        return _data_message(self._kind, payload)


def unmasked(payload: bytes, key: bytes) -> bytes:
    """As integers: 0.6 µs for a message of 150 bytes, where a loop over them takes 8."""
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")).to_bytes(size, "little")


def _data_message(opcode: int, payload: bytes) -> Message:
    return Message(opcode, _text(payload) if opcode == frames.TEXT else payload)


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise BrokenFrame(BAD_DATA) from None


def _close_code(payload: bytes) -> int:
    if not payload:
        return NO_CODE
    if len(payload) == 1:
        raise BrokenFrame(PROTOCOL_ERROR)
    (code,) = struct.unpack_from("!H", payload)
    if code not in _CODES and not 3000 <= code < 5000:
        raise BrokenFrame(PROTOCOL_ERROR)
    _text(payload[2:])
    return int(code)
