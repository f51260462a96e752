"""WebSocket frames as a server sends them: unmasked, uncompressed, one frame a message (RFC 6455, section 5.2).

Pure functions. Frames of one kind can be joined and written at once: a stream of frames is a stream of bytes.
"""

import struct

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

MAX_CONTROL_BYTES = 125
_FIN = 0x80
_MEDIUM = struct.Struct("!BBH").pack
_LARGE = struct.Struct("!BBQ").pack


def frame(opcode: int, payload: bytes) -> bytes:
    """One complete frame."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, size)) + payload
    if size < 65536:
        return _MEDIUM(_FIN | opcode, 126, size) + payload
    return _LARGE(_FIN | opcode, 127, size) + payload


def text(payload: bytes) -> bytes:
    """A text frame; the payload is UTF-8."""
    return frame(TEXT, payload)


def text_of(blob: bytes) -> str:
    """The payload of a complete text frame. Raises: ValueError if it is none, or has more after it."""
    start = 2 if blob[1:2] < b"\x7e" else 4 if blob[1] == 126 else 10
    if text(blob[start:]) != blob:
        raise ValueError("is not one text frame")
    return blob[start:].decode()


def binary(payload: bytes) -> bytes:
    """A binary frame."""
    return frame(BINARY, payload)


def ping(payload: bytes = b"") -> bytes:
    """A ping. Raises: ValueError above 125 bytes."""
    return frame(PING, _control(payload))


def pong(payload: bytes = b"") -> bytes:
    """The answer to a ping. Raises: ValueError above 125 bytes."""
    return frame(PONG, _control(payload))


def close(code: int = 1000, reason: str = "") -> bytes:
    """A close frame; a reason longer than 123 bytes is cut between two characters."""
    room = MAX_CONTROL_BYTES - 2
    fitting = reason.encode()[:room].decode(errors="ignore").encode()
    return frame(CLOSE, struct.pack("!H", code) + fitting)


def _control(payload: bytes) -> bytes:
    if len(payload) > MAX_CONTROL_BYTES:
        raise ValueError(f"a control frame carries at most {MAX_CONTROL_BYTES} bytes")
    return payload
