"""Events on their way to rooms: made here, or by another process that has encoded them already."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from . import frames
from .links import Dialect
from .packets import EnginePacket, SocketIODialect, to_frames


class RoomEvent:
    """An event on its way to a room. It is encoded when it is posted: the caller may change the data afterwards."""

    __slots__ = ("_blobs", "_packets", "args", "event", "namespace", "skip", "volatile")

    def __init__(
        self, event: str, args: Sequence[Any], namespace: str, skip: Collection[str], volatile: bool
    ) -> None:
        self.event = event
        self.args = args
        self.namespace = namespace
        self.skip = skip
        """The Engine.IO sids of members that do not get it."""
        self.volatile = volatile
        self._packets: Sequence[EnginePacket] = ()
        self._blobs: dict[Dialect, bytes] = {}

    def encoded(self, dialect: Dialect) -> bytes:
        """The event as frames of a dialect; each dialect is asked once."""
        blob = self._blobs.get(dialect)
        if blob is None:
            if isinstance(dialect, SocketIODialect):
                self._packets = dialect.packets(self.event, self.args, self.namespace)
                blob = to_frames(self._packets)
            else:
                blob = dialect.encode(self.event, self.args, self.namespace)
            self._blobs[dialect] = blob
        return blob

    @property
    def packets(self) -> Sequence[EnginePacket]:
        """The event for a Socket.IO client that polls, once it is encoded for Socket.IO."""
        return self._packets

    @property
    def call(self) -> tuple[str, Sequence[Any]]:
        """The name and the arguments."""
        return self.event, self.args


class ReadyEvent(RoomEvent):
    """An event that another process has encoded. It has one argument or more, none of them binary.

    `blobs` are its frames by dialect, those of `socketio` among them. For members that poll, and for other dialects,
    the event is read from the Socket.IO frame; without such members nothing is read.
    """

    __slots__ = ("_socketio",)

    def __init__(self, namespace: str, blobs: Mapping[Dialect, bytes], socketio: SocketIODialect) -> None:
        super().__init__("", (), namespace, (), False)
        self._blobs = dict(blobs)
        self._socketio = socketio

    def encoded(self, dialect: Dialect) -> bytes:
        """As in `RoomEvent`. Raises: ValueError for a dialect not among the given ones, if the Socket.IO frame is
        malformed."""
        blob = self._blobs.get(dialect)
        if blob is None:
            self.event, self.args = self.call
            blob = super().encoded(dialect)
        return blob

    @property
    def packets(self) -> Sequence[EnginePacket]:
        """Raises: ValueError if the Socket.IO frame is malformed."""
        if not self._packets:
            self._packets = [frames.text_of(self._blobs[self._socketio])]
        return self._packets

    @property
    def call(self) -> tuple[str, Sequence[Any]]:
        """Raises: ValueError if the Socket.IO frame is malformed."""
        if not self.event:
            text = str(self.packets[0])
            event, *args = json.loads(text[text.index("[") :])
            return event, args
        return self.event, self.args
