"""Raw frames become commands, answers and events become raw frames. Pure functions of values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from handlers.wire.errors import ChatError, error_view
from handlers.wire.json import dumps, is_unicode, loads

FRAME_ID_CHARS_MAX = 64
FRAME_ID_MAX = 2**53 - 1

FrameId = str | int | None


class RawCommand(NamedTuple):
    """A command in a client's frame. `id` is None if the client wants no ack; `payload` is the whole frame."""

    name: str
    id: FrameId
    payload: Mapping[str, Any]


class BadFrame(ChatError):
    """A frame that is no command. `id` is the one it carried, None if it had none or a bad one."""

    def __init__(self, message: str, frame_id: FrameId = None) -> None:
        super().__init__("bad_frame", message)
        self.id = frame_id


def read_frame(text: str) -> RawCommand:
    """The command in a frame. Raises: `BadFrame`."""
    try:
        frame = loads(text)
    except ValueError:
        raise BadFrame("a frame has to be JSON") from None
    if type(frame) is not dict:
        raise BadFrame("a frame has to be a JSON object")
    frame_id = frame.get("id")
    if not _good_id(frame_id):
        raise BadFrame("id has to be a string of up to 64 characters, or an integer from 0 to 2^53-1")
    name = frame.get("type")
    if type(name) is not str:
        raise BadFrame("type has to be a string", frame_id)
    return RawCommand(name, frame_id, frame)


def _good_id(frame_id: Any) -> bool:
    if type(frame_id) is str:
        return len(frame_id) <= FRAME_ID_CHARS_MAX and (frame_id.isascii() or is_unicode(frame_id))
    return frame_id is None or (type(frame_id) is int and 0 <= frame_id <= FRAME_ID_MAX)


def ack_frame(frame_id: FrameId, result: Mapping[str, Any]) -> bytes:
    """The answer to a frame whose command succeeded."""
    return dumps({"type": "ack", "id": frame_id, "ok": True, **result})


def error_frame(frame_id: FrameId, error: ChatError) -> bytes:
    """The answer to a frame whose command failed; without `id` if the frame had none."""
    frame: dict[str, Any] = {"type": "error"}
    if frame_id is not None:
        frame["id"] = frame_id
    return dumps({**frame, **error_view(error, "socket")})


class RawDialect:
    """Encodes events for documented clients; `text_frame` puts the header of a WebSocket text frame before UTF-8."""

    def __init__(self, text_frame: Callable[[bytes], bytes]) -> None:
        self._text_frame = text_frame

    def encode(self, event: str, args: Sequence[Any], namespace: str) -> bytes:
        """The WebSocket frame of an event; its only argument is its payload."""
        (payload,) = args
        return self._text_frame(dumps({"type": event, **payload}))
