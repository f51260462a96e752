"""The kinds of attack: what each connection of a swarm does."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.attacks.frames import command, connect, event, handshake, request, text
from tests.clients.bare import BINARY, CONTINUATION, PING, TEXT, frame

ENGINE = "/socket.io/?EIO=4&transport=websocket"
POLLING = "/socket.io/?EIO=4&transport=polling"
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Attack:
    """What one connection writes: `opening` first and, when a handshake in it is answered, `greeting`; then, if there
    is one, `chunk` for ever.

    `waits`: each chunk is written when something has come back. `reads`: what comes is read. `polls`: the connection
    is a polling session, `chunk` the body of its POSTs and `opening` that of the first one. `comes_back`: a connection
    that ends is opened again at once.
    """

    opening: bytes
    chunk: bytes = b""
    greeting: bytes = b""
    waits: bool = False
    reads: bool = True
    polls: bool = False
    comes_back: bool = True


@dataclass(frozen=True)
class Account:
    """The account of an attacker. `n` is the number of the connection."""

    token: str
    chat_id: int
    n: int = 0


Make = Callable[[Account], Attack]


def _many(blob: bytes) -> bytes:
    return blob * max(1, CHUNK_BYTES // len(blob))


def _stranger(blob: bytes) -> Make:
    """A WebSocket without a token."""
    return lambda _: Attack(handshake(ENGINE), _many(blob))


def _raw(make: Callable[[Account], bytes], *, reads: bool = True) -> Make:
    return lambda account: Attack(handshake(f"/ws?token={account.token}"), _many(make(account)), reads=reads)


def _socketio(make: Callable[[Account], bytes], *, reads: bool = True) -> Make:
    return lambda account: Attack(
        handshake(ENGINE), _many(make(account)), greeting=connect(account.token), reads=reads
    )


def _rest(make: Callable[[Account], bytes], *, reads: bool = True) -> Make:
    """A request, repeated after each answer; without reading, as fast as the system takes it."""
    return lambda account: Attack(b"", make(account), waits=reads, reads=reads)


STRANGERS: dict[str, Make] = {
    "nothing": lambda _: Attack(b""),
    "pongs": _stranger(text("3")),
    "ping frames": _stranger(frame(PING)),
    "fragments": lambda _: Attack(
        handshake(ENGINE),
        _many(frame(CONTINUATION, b"", flags=0)),
        greeting=frame(TEXT, b"4", flags=0),
    ),
    "half a large frame": lambda _: Attack(handshake(ENGINE), greeting=frame(TEXT, b"4" * 500_000)[:400_000]),
    "engine handshakes": lambda _: Attack(handshake(ENGINE), greeting=text("1")),
    "raw handshakes": lambda _: Attack(handshake("/ws?token=x")),
    "bad tokens": _stranger(connect("x")),
    "polling sessions": _rest(lambda _: request("GET", POLLING)),
    "requests": _rest(lambda _: request("GET", "/api/nothing")),
    "pipelined requests": lambda _: Attack(b"", _many(request("GET", "/health/live"))),
    "logins": _rest(
        lambda account: request(
            "POST",
            "/api/auth/login",
            json.dumps({"username": f"nobody{account.n}", "password": "wrong password"}).encode(),
            Content_Type="application/json",
        )
    ),
    "half requests": lambda _: Attack(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    "endless preamble": lambda _: Attack(
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n",
        b"8000\r\n" + b"x" * 0x8000 + b"\r\n",
    ),
}

ACCOUNTS: dict[str, Make] = {
    "unknown commands": _raw(lambda _: command("nonsense")),
    "unread answers": _raw(lambda _: command("nonsense", id=1), reads=False),
    "typing": _raw(lambda account: command("typing", chat_id=account.chat_id, is_typing=True)),
    "leaves": _raw(lambda account: command("leave_chat", chat_id=account.chat_id)),
    "joins": _raw(lambda account: command("join_chat", chat_id=account.chat_id, after_seq=0, id=1)),
    "messages": _raw(lambda account: command("send_message", chat_id=account.chat_id, content="x", id=1)),
    "pings unread": _raw(lambda _: frame(PING, b"x" * 125), reads=False),
    "socket.io events": _socketio(lambda _: event("nonsense", {}, 1)),
    "socket.io unread": _socketio(lambda _: event("nonsense", {}, 1), reads=False),
    "attachments": _socketio(
        lambda _: text('451-["x",{"_placeholder":true,"num":0}]') + frame(BINARY, b"x" * 100)
    ),
    "polling packets": lambda account: Attack(
        ("40" + json.dumps({"token": account.token})).encode(), b"\x1e".join([b"3"] * 4000), polls=True
    ),
    "history unread": _rest(
        lambda account: request(
            "GET", f"/api/chats/{account.chat_id}/messages?limit=200", token=account.token
        ),
        reads=False,
    ),
    "chat lists": _rest(lambda account: request("GET", "/api/chats", token=account.token)),
    "searches": _rest(lambda account: request("GET", "/api/users?q=a", token=account.token)),
    "groups": _rest(
        lambda account: request(
            "POST",
            "/api/chats",
            b'{"name":"x","chat_type":"group","member_ids":[]}',
            account.token,
            Content_Type="application/json",
        )
    ),
}

KINDS = STRANGERS | ACCOUNTS
