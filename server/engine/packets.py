"""Engine.IO packets, strictly decoded by the rules of engine.io 6, and Socket.IO packets as bytes.

A decoder that tolerates what it does not understand hands the next layer surprises; so everything malformed raises
`ProtocolError`, and the connection it came on ends.
"""

import base64
import binascii
import re
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

from socketio import packet as socketio_packet

from . import frames
from .links import BINARY

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = "0123456"
CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)

MAX_PACKETS_PER_POST = 10_000
SEPARATOR = "\x1e"
_SEPARATORS = (",", ":")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64 + b"-_"))
_FROM_BASE64URL = bytes.maketrans(b"-_", b"+/")
_JSONP_NEWLINE = re.compile(r"(\\?)\\n")

EnginePacket = str | bytes
"""An Engine.IO packet as sent: text with its type digit, or the bytes of a binary message."""


class ProtocolError(Exception):
    """The peer broke the protocol: its connection ends, and no other. `code` is the reason, as in a close frame."""

    code = 1008


class TooLarge(ProtocolError):
    """A packet, with all its attachments, has more bytes than are allowed."""

    code = 1009


# --- Engine.IO ---------------------------------------------------------------------------------------------------


def split_engine(packet: EnginePacket) -> tuple[str, EnginePacket]:
    """(type, payload) of an Engine.IO packet; bytes are a message. Raises: ProtocolError."""
    if isinstance(packet, bytes):
        return MESSAGE, packet
    kind = packet[:1]
    if not kind or kind not in "123456":  # a client has no reason to send OPEN
        raise ProtocolError("unknown Engine.IO packet type")
    return kind, packet[1:]


def is_larger(packet: EnginePacket, limit_bytes: int) -> bool:
    """Whether a packet has more bytes than the limit; text is counted as UTF-8."""
    if isinstance(packet, bytes) or packet.isascii() or len(packet) > limit_bytes:
        return len(packet) > limit_bytes
    return len(packet) * 4 > limit_bytes and len(packet.encode()) > limit_bytes


def split_payload(body: bytes, limit_bytes: int) -> list[EnginePacket]:
    """The packets in the body of a polling POST; `d=` starts a JSONP form.

    Raises: ProtocolError; TooLarge if one of the packets has more bytes than the limit, as it would have them in a
    WebSocket frame.
    """
    try:
        text = body.decode()
        if text.startswith("d="):
            text = _from_form(text)
    except (ValueError, KeyError) as error:
        raise ProtocolError("payload is not UTF-8 text") from error
    if text.count(SEPARATOR) >= MAX_PACKETS_PER_POST:
        raise ProtocolError("too many packets in one payload")
    packets = [_from_payload(part) for part in text.split(SEPARATOR)]
    if any(is_larger(packet, limit_bytes) for packet in packets):
        raise TooLarge("a packet of a payload")
    return packets


def _from_form(text: str) -> str:
    """The payload in a JSONP form. Raises: ValueError, KeyError.

    Browsers change line breaks in forms, so the client writes `\\n` for a line break, and one more backslash before
    each `\\n` that was in the text.
    """
    payload = urllib.parse.parse_qs(text, strict_parsing=True, errors="strict")["d"][0]
    payload = _JSONP_NEWLINE.sub(lambda found: found[0] if found[1] else "\n", payload)
    return payload.replace("\\\\n", "\\n")


def _from_payload(part: str) -> EnginePacket:
    if not part.startswith("b"):
        split_engine(part)
        return part
    try:
        return binascii.a2b_base64(part[1:], strict_mode=True)
    except ValueError:
        return _lenient_base64(part[1:])


def _lenient_base64(text: str) -> bytes:
    """As Node's `Buffer.from(text, "base64")`: either alphabet, padding or none, up to the first `=`; characters of
    neither alphabet are skipped. Official clients send line breaks (Java), or leave out the padding."""
    digits = text.partition("=")[0].encode("ascii", "ignore").translate(_FROM_BASE64URL, _NOT_BASE64)
    if len(digits) % 4 == 1:  # six bits more are no byte
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def join_payload(packets: Sequence[EnginePacket]) -> str:
    """The body that answers a poll."""
    return SEPARATOR.join(p if isinstance(p, str) else "b" + base64.b64encode(p).decode() for p in packets)


def to_frames(packets: Sequence[EnginePacket]) -> bytes:
    """Packets as WebSocket frames."""
    blobs = [
        frames.frame(frames.TEXT, packet.encode())
        if isinstance(packet, str)
        else frames.frame(frames.BINARY, packet)
        for packet in packets
    ]
    return blobs[0] if len(blobs) == 1 else b"".join(blobs)


# --- Socket.IO, to clients ---------------------------------------------------------------------------------------


def is_standard(packet_class: Any) -> bool:
    """Whether a serializer makes Socket.IO's default packets: text, with JSON."""
    return packet_class.encode is socketio_packet.Packet.encode


class SocketIODialect:
    """Events as Socket.IO packets, by the server's serializer (a class like `socketio.packet.Packet`)."""

    def __init__(self, packet_class: Any) -> None:
        self._packet_class = packet_class
        self._json = (
            packet_class.json if is_standard(packet_class) and _collects_binary(packet_class.json) else None
        )

    def encode(self, event: str, args: Sequence[Any], namespace: str) -> bytes:
        """The event as WebSocket frames."""
        return to_frames(self.packets(event, args, namespace))

    def packets(self, event: str, args: Sequence[Any], namespace: str) -> list[EnginePacket]:
        """The event as Engine.IO packets: one, and one more per binary argument."""
        return self._packets(EVENT, BINARY_EVENT, None, [event, *args], namespace)

    def ack(self, ack_id: int, args: Sequence[Any], namespace: str) -> list[EnginePacket]:
        """The answer to a client's event, as Engine.IO packets."""
        return self._packets(ACK, BINARY_ACK, ack_id, list(args), namespace)

    def _packets(
        self, kind: int, binary_kind: int, packet_id: int | None, data: list[Any], namespace: str
    ) -> list[EnginePacket]:
        if self._json is None:
            return self.wrap(self._packet_class(kind, data=data, namespace=namespace, id=packet_id))
        attachments: list[EnginePacket] = []
        try:
            body = self._json.dumps(data, separators=_SEPARATORS)
        except TypeError:  # there may be something binary in it
            body = self._json.dumps(data, separators=_SEPARATORS, default=_collector(attachments))
        head = "" if namespace == "/" else namespace + ","
        if packet_id is not None:
            head += str(packet_id)
        if attachments:
            return [f"4{binary_kind}{len(attachments)}-{head}{body}", *attachments]
        return [f"4{kind}{head}{body}"]

    @staticmethod
    def wrap(packet: Any) -> list[EnginePacket]:
        """An object of the serializer's packet class as Engine.IO packets."""
        encoded = packet.encode()
        parts = encoded if isinstance(encoded, list) else [encoded]
        return [MESSAGE + part if isinstance(part, str) else bytes(part) for part in parts]


def _collector(attachments: list[EnginePacket]) -> Callable[[Any], dict[str, Any]]:
    """A `default` for `json.dumps` that takes binary arguments out of the data, which so need not be walked over."""

    def default(value: Any) -> dict[str, Any]:
        if not isinstance(value, BINARY):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        attachments.append(bytes(value))
        return {"_placeholder": True, "num": len(attachments) - 1}

    return default


def _collects_binary(json: Any) -> bool:
    """Whether a JSON module calls `default` for bytes; the contract of `json=` promises only `dumps(data,
    separators=…)`."""
    found: list[EnginePacket] = []
    try:
        json.dumps([b"", bytearray()], separators=(",", ":"), default=_collector(found))
    except Exception:
        return False
    return len(found) == 2
