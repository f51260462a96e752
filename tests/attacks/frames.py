"""What attackers write: handshakes, frames and requests as bytes."""

import json
import struct
from typing import Any

CONTINUATION, TEXT, BINARY, PING = 0x0, 0x1, 0x2, 0x9
FIN = 0x80


def frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """A client's frame; its mask is zero."""
    size = len(payload)
    head = bytes([(FIN if final else 0) | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += b"\xfe" + struct.pack("!H", size)
    else:
        head += b"\xff" + struct.pack("!Q", size)
    return head + bytes(4) + payload


def text(payload: str) -> bytes:
    return frame(TEXT, payload.encode())


def command(name: str, **fields: Any) -> bytes:
    """A command on the raw socket."""
    return text(json.dumps({"type": name, **fields}))


def event(name: str, payload: Any, ack_id: int | None = None) -> bytes:
    """A Socket.IO event over a WebSocket."""
    return text(f"42{'' if ack_id is None else ack_id}{json.dumps([name, payload])}")


def connect(token: str) -> bytes:
    """A Socket.IO CONNECT with a token, over a WebSocket."""
    return text("40" + json.dumps({"token": token}))


def handshake(path: str) -> bytes:
    """A WebSocket handshake."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def request(method: str, path: str, body: bytes = b"", token: str = "", **headers: str) -> bytes:
    """An HTTP request on a connection that stays open. `_` in the name of a header is `-`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
