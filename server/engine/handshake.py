"""The opening handshake of a WebSocket, from the server's side (RFC 6455, sections 4.2.1 and 4.2.2)."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping

from aiohttp import HttpVersion11, hdrs, web
from multidict import CIMultiDictProxy

VERSION = "13"
KEY_BYTES = 16
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

REFUSED = {hdrs.UPGRADE: "websocket", hdrs.SEC_WEBSOCKET_VERSION: VERSION}
"""The headers that answer a request that is no handshake."""


def tokens(headers: CIMultiDictProxy[str], name: str) -> list[str]:
    """The elements of a header that is a list. It may come in several lines, and have empty elements."""
    return [token for line in headers.getall(name, ()) for part in line.split(",") if (token := part.strip())]


def wants_websocket(request: web.Request) -> bool:
    """Whether the client offers to change to a WebSocket, among other protocols or alone."""
    return "websocket" in _lower(request.headers, hdrs.UPGRADE)


def check(request: web.Request) -> None:
    """Raises: `HTTPUpgradeRequired` for what wants no WebSocket, or one of another version; `HTTPBadRequest` for a
    handshake that is wrong."""
    headers = request.headers
    if (
        not wants_websocket(request)
        or "upgrade" not in _lower(headers, hdrs.CONNECTION)
        or request.version < HttpVersion11
    ):
        raise web.HTTPUpgradeRequired(text="this takes a WebSocket handshake", headers=REFUSED)
    if headers.getall(hdrs.SEC_WEBSOCKET_VERSION, []) != [VERSION]:
        raise web.HTTPUpgradeRequired(text=f"the version has to be {VERSION}", headers=REFUSED)
    if request.method != hdrs.METH_GET or not _is_key(headers.getall(hdrs.SEC_WEBSOCKET_KEY, [])):
        raise web.HTTPBadRequest(text="this is no WebSocket handshake", headers=REFUSED)


def answer_headers(request: web.Request, protocols: Iterable[str] = ()) -> Mapping[str, str]:
    """The headers that accept a handshake that `check` has passed, with the first of our protocols that the client
    offers, if it offers one."""
    key = request.headers[hdrs.SEC_WEBSOCKET_KEY].encode()
    headers: dict[str, str] = {
        hdrs.UPGRADE: "websocket",
        hdrs.CONNECTION: "upgrade",
        hdrs.SEC_WEBSOCKET_ACCEPT: base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode(),  # noqa: S324
    }
    offered = tokens(request.headers, hdrs.SEC_WEBSOCKET_PROTOCOL)
    protocol = next((protocol for protocol in protocols if protocol in offered), None)
    if protocol is not None:
        headers[hdrs.SEC_WEBSOCKET_PROTOCOL] = protocol
    return headers


def _lower(headers: CIMultiDictProxy[str], name: str) -> list[str]:
    return [token.lower() for token in tokens(headers, name)]


def _is_key(lines: list[str]) -> bool:
    """Whether the header is there once, with 16 bytes as base64."""
    try:
        return len(lines) == 1 and len(binascii.a2b_base64(lines[0], strict_mode=True)) == KEY_BYTES
    except ValueError:  # also for what is not ASCII
        return False
