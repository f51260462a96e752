"""Socket.IO packets from clients, strictly decoded by the rules of socket.io-parser 4.2, the reference."""

import json as std_json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from engineio import json as engineio_json

from .packets import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    DISCONNECT,
    EVENT,
    EnginePacket,
    ProtocolError,
    TooLarge,
)

MAX_ATTACHMENTS = 10
MAX_ID_DIGITS = 16
"""JavaScript counts to 2^53."""

_HEADER = re.compile(r"(?:[0-4]|[56]([0-9]{1,10})-)(?:(/[^,]*),?)?([0-9]*)")

RESERVED_EVENTS = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names that mean something to the libraries on either side. From a client they would call handlers that only the
server may call."""


class Packet(NamedTuple):
    """A Socket.IO packet from a client. `attachments` is the number of binary frames that must follow."""

    type: int
    namespace: str
    id: int | None
    data: Any
    attachments: int = 0


def decode(text: str, loads: Callable[[str], Any]) -> Packet:
    """A Socket.IO packet in the default encoding: `<type>[<attachments>-][<namespace>,][<id>][JSON]`.

    Raises: ProtocolError, also for what would make a JSON parser crash.
    """
    match = _HEADER.match(text)
    if match is None:
        raise ProtocolError("unknown Socket.IO packet type, or no number of attachments")
    attachments, namespace, digits = match.groups()
    if attachments is not None and not 1 <= int(attachments) <= MAX_ATTACHMENTS:
        raise ProtocolError("bad number of attachments")
    if len(digits) > MAX_ID_DIGITS:
        raise ProtocolError("packet id too long")
    return check(
        Packet(
            ord(text[0]) - ord("0"),
            namespace.partition("?")[0] if namespace else "/",
            int(digits) if digits else None,
            _json(text[match.end() :], loads) if match.end() < len(text) else None,
            int(attachments) if attachments else 0,
        )
    )


def check(packet: Packet) -> Packet:
    """The packet, if a client may send it and its data fits its type. Raises: ProtocolError."""
    if not _FITS.get(packet.type, _never)(packet):
        raise ProtocolError("a packet's data does not fit its type")
    return packet


def _json(text: str, loads: Callable[[str], Any]) -> Any:
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:  # depth and digits beyond the parser's limits, too
        raise ProtocolError("bad JSON") from error


def _is_event(packet: Packet) -> bool:
    data = packet.data
    return (
        isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in RESERVED_EVENTS
    )


def _is_ack(packet: Packet) -> bool:
    return isinstance(packet.data, list) and packet.id is not None


def _never(packet: Packet) -> bool:
    return False


_FITS: dict[int, Callable[[Packet], bool]] = {
    CONNECT: lambda packet: packet.data is None or isinstance(packet.data, dict),
    DISCONNECT: lambda packet: packet.data is None,
    EVENT: _is_event,
    BINARY_EVENT: _is_event,
    ACK: _is_ack,
    BINARY_ACK: _is_ack,
}


class Attachments:
    """Gathers the binary frames that a packet announced."""

    def __init__(self, packet: Packet, limit_bytes: int) -> None:
        self._packet = packet
        self._left_bytes = limit_bytes
        self._parts: list[bytes] = []

    def add(self, part: EnginePacket) -> Packet | None:
        """Takes the next attachment. Returns the whole packet with the last one, before that None.

        Raises: ProtocolError for text, or a placeholder that names no attachment; TooLarge for more bytes than the
        limit, counted together.
        """
        if not isinstance(part, bytes):
            raise ProtocolError("text where an attachment should be")
        self._left_bytes -= len(part)
        if self._left_bytes < 0:
            raise TooLarge("attachments")
        self._parts.append(part)
        if len(self._parts) < self._packet.attachments:
            return None
        try:
            data = self._fill(self._packet.data)
        except RecursionError as error:
            raise ProtocolError("data too deep") from error
        kind = EVENT if self._packet.type == BINARY_EVENT else ACK
        return check(self._packet._replace(type=kind, data=data, attachments=0))

    def _fill(self, data: Any) -> Any:
        if isinstance(data, list):
            return [self._fill(item) for item in data]
        if not isinstance(data, dict):
            return data
        if data.get("_placeholder") is not True:
            return {key: self._fill(value) for key, value in data.items()}
        number = data.get("num")
        if type(number) is not int or not 0 <= number < len(self._parts):
            raise ProtocolError("placeholder without an attachment")
        return self._parts[number]


def strict_loads(json: Any) -> Callable[[str], Any]:
    """A JSON module's `loads`. The standard library's is made to refuse NaN and Infinity, which no browser can read:
    one client could otherwise have them passed on to all the others."""
    if json not in (std_json, engineio_json):
        return json.loads  # type: ignore[no-any-return]
    return lambda text: engineio_json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
