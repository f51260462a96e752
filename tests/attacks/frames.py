"""Handshakes, frames and requests of attackers, as bytes."""

import json
from typing import Any

from tests.clients.bare import TEXT, frame


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
