"""What the Engine.IO server answers to HTTP requests."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .packets import EnginePacket, join_payload

Headers = list[tuple[str, str]]

BAD_REQUEST, UNAUTHORIZED, TOO_LARGE = 400, 401, 413

_COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


class HttpRefused(Exception):
    """An HTTP request that cannot be served; `status` says why, and `message` says it to people."""

    def __init__(self, status: int, message: str = "Bad Request") -> None:
        super().__init__(status)
        self.status = status
        self.message = message


@dataclass(slots=True)
class HttpAnswer:
    """A response before it is one of aiohttp's."""

    status: int
    headers: Headers
    body: bytes

    def compress(self, accepted: str) -> None:
        """Compresses the body by the first encoding that the client accepts and this knows; `accepted` is the header
        `Accept-Encoding`."""
        for part in accepted.split(","):
            encoding = part.split(";")[0].strip()
            if encoding in _COMPRESSIONS:
                self.body = _COMPRESSIONS[encoding](self.body)
                self.headers.append(("Content-Encoding", encoding))
                return


def ok(
    packets: Sequence[EnginePacket] | None = None,
    *,
    jsonp_index: int | None = None,
    headers: Headers | None = None,
) -> HttpAnswer:
    """200 with packets; without, with the protocol's `ok`."""
    content_type, body = "text/plain; charset=UTF-8", "ok"
    if packets is not None:
        body = join_payload(packets)
        if jsonp_index is not None:
            content_type = "text/javascript; charset=UTF-8"
            body = f"___eio[{jsonp_index}]({json.dumps(body)});"
    return HttpAnswer(200, [*(headers or ()), ("Content-Type", content_type)], body.encode())


def refusal(refused: HttpRefused) -> HttpAnswer:
    """The answer to a request that cannot be served."""
    return HttpAnswer(refused.status, [("Content-Type", "text/plain")], json.dumps(refused.message).encode())


def unauthorized(message: Any) -> HttpAnswer:
    """The answer to a connection that the application refuses; `message` is what its handler returned."""
    body = json.dumps(message or "Unauthorized").encode()
    return HttpAnswer(UNAUTHORIZED, [("Content-Type", "application/json")], body)


def cookie_headers(cookie: Any, sid: str) -> Headers:
    """The headers that set the cookie of a session. `cookie` is the setting of `engineio.AsyncServer`: a name, or a
    dict of `name` and attributes, whose values may be functions, and True for an attribute without a value."""
    if not cookie:
        return []
    attributes = cookie if isinstance(cookie, dict) else {"name": cookie, "path": "/", "SameSite": "Lax"}
    parts = [f"{attributes.get('name', 'io')}={sid}"]
    for name, value in attributes.items():
        value = value() if callable(value) else value
        if name != "name":
            parts.append(name if value is True else f"{name}={value}")
    return [("Set-Cookie", "; ".join(parts))]
